"""`hostd trigger`, second half: apply, delete, test, preview, backfill, watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli.applying import apply_one
from hostd.cli.change_watch import print_changes
from hostd.cli.complaints import violation_line
from hostd.cli.completing import complete_files, complete_triggers, complete_workflows
from hostd.cli.inputs import json_argument, read_text
from hostd.cli.lost_connection import reconnect_option
from hostd.cli.moments import moment_option
from hostd.cli.printing import warn
from hostd.cli.progress import Progress
from hostd.cli.session import Session, remote
from hostd.cli.tables import columns, fields
from hostd.cli.triggers import named, trigger, trigger_arguments
from hostd.cli.workflows import documents_of
from hostd.errors.base import Kind, Violation, invalid
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import trigger_service_pb2 as pb
else:
    pb = lazily("hostd.v1.trigger_service_pb2")

EXIT_DEAD = CODES[Kind.INVALID].exit
BACKFILL_TIMEOUT_S = 24 * 3600.0


@trigger.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option("--replace/--no-replace", default=True, show_default=True, help="Replace triggers of the same names.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once (one document).")
@remote
def apply(session: Session, files: tuple[str, ...], replace: bool, request_id: str) -> None:
    """Make the triggers of FILES (- is standard input), documents with `trigger: NAME`, what they say.

    The same document again changes nothing.
    """
    documents = [(file, document) for file in files for document in documents_of(read_text(file))]
    if not documents:
        raise invalid("DOCUMENT_INVALID", "there is no document in what was given")
    for file, document in documents:
        apply_one(session, document, file, replace=replace, request_id=request_id if len(documents) == 1 else "")


@trigger.command()
@click.argument("name")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def delete(session: Session, name: str, request_id: str) -> None:
    """Delete a trigger of its own with its cursor. Those of a workflow go with its version."""
    request = pb.DeleteTriggerRequest(namespace=session.namespace, name=name.removeprefix("/"), request_id=request_id)
    session.show(session.call(session.client.triggers.DeleteTrigger, request), lambda _: f"deleted {name}")


@trigger.command()
@click.argument("workflow", required=False, default="", metavar="[WORKFLOW]", shell_complete=complete_triggers)
@click.argument("name", required=False, default="", metavar="[NAME]")
@click.option(
    "--file",
    "file",
    metavar="FILE",
    shell_complete=complete_files,
    help="A document instead of what is configured (one document).",
)
@click.option(
    "--event-data", metavar="JSON", help="Data of the event: JSON text, @FILE or -; else null, of a schedule its slot."
)
@click.option("--event-id", metavar="ID", default="", help="Else one that was never seen.")
@click.option("--event-type", metavar="TEXT", default="", help="Else the trigger plugin.")
@click.option("--subject", metavar="TEXT", default="", help="The event's subject.")
@remote
def test(
    session: Session,
    workflow: str,
    name: str,
    file: str | None,
    event_data: str | None,
    event_id: str,
    event_type: str,
    subject: str,
) -> int:
    """Say what an event would do; nothing is started.

    Exits with 2 where it could not be used, or the document has mistakes. With --file only the trigger's NAME may
    stand before it.
    """
    from hostd.client import to_payload

    where: dict[str, Any] = {"name": name or workflow} if file else dict(named(workflow, name))
    request = pb.TestTriggerRequest(
        namespace=session.namespace,
        document=read_text(file) if file else "",
        data=None if event_data is None else to_payload(json_argument(event_data, "--event-data")),
        event_id=event_id,
        type=event_type,
        subject=subject,
        **where,
    )
    answer = session.call(session.client.triggers.TestTrigger, request)
    session.show(answer, _trial)
    return EXIT_DEAD if answer.outcome in ("", "DEAD_LETTERED") else 0


def _trial(item: Any) -> str:
    target = f"{item['workflow']} {item['version']}".strip()
    pairs = [
        ("outcome", item["outcome"] or "the document has mistakes"),
        ("workflow", target),
        ("matches", item["matches"]),
        ("key", item["key"]),
        ("signal", item["signal"]),
        ("data", item["signal_data"]),
        ("input", item["input"]),
        ("runs", item["run_ids"]),
    ]
    lines = [violation_line(Violation(**fault)) for fault in item["violations"]]
    return "\n".join([fields([pair for pair in pairs if pair[1] not in ("", [])]), *lines])


@trigger.command()
@click.argument("workflow", required=False, default="", metavar="[WORKFLOW]", shell_complete=complete_triggers)
@click.argument("name", required=False, default="", metavar="[NAME]")
@click.option("--uses", metavar="ID", default="", help="A trigger plugin, such as cron.schedule, instead of a trigger.")
@click.option("--with", "options", metavar="JSON", help="Its options: JSON text, @FILE or -.")
@moment_option("--after", help="Times after this one (RFC 3339); else now.")
@click.option("--count", metavar="N", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@remote
def preview(session: Session, workflow: str, name: str, uses: str, options: str | None, after: Any, count: int) -> None:
    """Print the next times at which a trigger fires."""
    from hostd.client import to_payload

    if uses and (workflow or name):
        raise invalid("ARGUMENT_INVALID", "name a trigger, or --uses with --with, not both")
    request = pb.PreviewScheduleRequest(
        namespace=session.namespace,
        uses=uses,
        options=None if options is None else to_payload(json_argument(options, "--with")),
        after=after,
        count=count,
        **({} if uses else named(workflow, name)),
    )
    answer = session.call(session.client.triggers.PreviewSchedule, request)
    session.list(answer.slots, lambda slots: _slots(slots, answer.timezone))
    if not answer.more and len(answer.slots) < count:
        warn("the schedule ends there")


def _slots(slots: list[Any], timezone: str) -> str:
    return columns(("TIME", timezone), [(slot["time"], slot["local_time"]) for slot in slots])


@trigger.command()
@trigger_arguments
@moment_option("--from", "start", required=True, help="The first moment of the window (RFC 3339).")
@moment_option("--to", "end", required=True, help="The end of the window, which does not belong to it.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--per-second", metavar="N", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Slots at most."
)
@click.option("--fire-unknown", is_flag=True, help="Also slots so old that nobody knows any more whether they fired.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours gives the first answer.")
@remote
def backfill(
    session: Session,
    workflow: str,
    name: str,
    start: Any,
    end: Any,
    dry_run: bool,
    per_second: int,
    fire_unknown: bool,
    request_id: str,
) -> None:
    """Fire the slots of a window that did not fire; cut off, the same command goes on."""
    request = pb.BackfillTriggerRequest(
        namespace=session.namespace,
        from_time=start,
        to_time=end,
        dry_run=dry_run,
        per_second=per_second,
        fire_unknown=fire_unknown,
        request_id=request_id,
        **named(workflow, name),
    )
    with Progress(f"filling in slots, at most {per_second} a second"):
        answer = session.call(session.client.triggers.BackfillTrigger, request, timeout_s=BACKFILL_TIMEOUT_S)
    session.show(answer, lambda item: fields([(key, value) for key, value in item.items() if value or key == "slots"]))
    if dry_run:
        warn("nothing was started: that is what would be")
    if answer.unknown:
        warn(f"{answer.unknown} slots are older than what is known; --fire-unknown fires them")


@trigger.command()
@click.option("--workflow", default="", shell_complete=complete_workflows, help="Only triggers of this workflow.")
@click.option("--until-snapshot", is_flag=True, help="Stop behind what is there now.")
@reconnect_option()
@remote
def watch(session: Session, workflow: str, until_snapshot: bool, reconnect_s: float) -> None:
    """Print triggers as they are, and then each change, until interrupted; a restart of the daemon in between, too."""
    request = pb.WatchTriggersRequest(namespace=session.namespace, workflow=workflow)
    watch_triggers = session.client.triggers.WatchTriggers
    print_changes(
        session, watch_triggers, request, until_snapshot=until_snapshot, reconnect_s=reconnect_s, line=_change
    )


def _change(change: Any) -> str:
    item = change["trigger"]
    return f"{change['kind']:<8}  {item['workflow']}/{item['name']}  {item['state']}  fired {item['fired']}"
