"""`hostd trigger`: look at, pause and fire triggers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.completing import complete_triggers, complete_workflows
from hostd.cli.inputs import json_argument
from hostd.cli.lazy import Noun
from hostd.cli.printing import NOTHING, warn
from hostd.cli.session import Session, remote
from hostd.cli.tables import age, clean, columns, fields
from hostd.errors.base import Kind, invalid
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import dead_letter_service_pb2 as letters_pb
    from hostd.v1 import trigger_service_pb2 as pb
else:
    letters_pb = lazily("hostd.v1.dead_letter_service_pb2")
    pb = lazily("hostd.v1.trigger_service_pb2")


@click.group(cls=Noun)
def trigger() -> None:
    """Look at, pause, fire, try and fill in triggers.

    A trigger is named WORKFLOW NAME or WORKFLOW/NAME, one of its own NAME alone.
    """


def trigger_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments that name a trigger."""
    name = click.argument("name", required=False, default="", metavar="NAME")
    return click.argument("workflow", metavar="WORKFLOW", shell_complete=complete_triggers)(name(command))


def named(workflow: str, name: str) -> dict[str, str]:
    """Return the fields that name a trigger; one word is one of its own. Raises ARGUMENT_INVALID."""
    if not name:
        workflow, _, name = workflow.rpartition("/")
    if not name:
        raise invalid(
            "ARGUMENT_INVALID",
            "name the trigger: WORKFLOW NAME, or NAME for one of its own; `hostd trigger list` shows both",
        )
    return {"workflow": workflow, "name": name}


@trigger.command(name="list")
@click.option("--workflow", default="", shell_complete=complete_workflows, help="Only triggers of this workflow.")
@remote
def list_triggers(session: Session, workflow: str) -> None:
    """List the triggers of active versions, and those of their own."""
    request = pb.ListTriggersRequest(namespace=session.namespace, workflow=workflow)
    pages = session.pages(session.client.triggers.ListTriggers, request)
    session.list((item for page in pages for item in page.triggers), _listing, none=NOTHING)


def _listing(triggers: list[Any]) -> str:
    return columns(
        ("WORKFLOW", "NAME", "+STARTS", "USES", "STATE", "FIRED", "LAST", "+LAST TIME", "MESSAGE"),
        [
            (item["workflow"], item["name"], item["target"], item["uses"], item["state"], item["fired"],
             age(item["last_fire_time"]), item["last_fire_time"], item["message"])
            for item in triggers
        ],
    )  # fmt: skip


@trigger.command()
@trigger_arguments
@remote
def show(session: Session, workflow: str, name: str) -> None:
    """Show a trigger."""
    request = pb.GetTriggerRequest(namespace=session.namespace, **named(workflow, name))
    session.show(session.call(session.client.triggers.GetTrigger, request), lambda item: fields(item.items()))


@trigger.command()
@trigger_arguments
@click.option("--reason", default="", metavar="TEXT", help="For people.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def pause(session: Session, workflow: str, name: str, reason: str, request_id: str) -> None:
    """Stop a trigger until it is resumed; it keeps its place."""
    fields_of = named(workflow, name)
    request = pb.PauseTriggerRequest(namespace=session.namespace, reason=reason, request_id=request_id, **fields_of)
    session.show(session.call(session.client.triggers.PauseTrigger, request), _state)


@trigger.command()
@trigger_arguments
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def resume(session: Session, workflow: str, name: str, request_id: str) -> None:
    """Let a paused, ended or failed trigger run again."""
    request = pb.ResumeTriggerRequest(namespace=session.namespace, request_id=request_id, **named(workflow, name))
    session.show(session.call(session.client.triggers.ResumeTrigger, request), _state)


def _state(item: Any) -> str:
    told = item["message"] or "; ".join(item["warnings"])
    why = f": {clean(told)}" if told and item["state"] != "PAUSED" else ""
    return f"{item['workflow']}/{item['name']}".removeprefix("/") + f" {item['state']}{why}"


@trigger.command()
@trigger_arguments
@click.option(
    "--event-data", metavar="JSON", help="Data of the event: JSON text, @FILE or -; else null, of a schedule its slot."
)
@click.option("--event-id", metavar="ID", default="", help="The same id again is a duplicate; else a random one.")
@remote
def fire(session: Session, workflow: str, name: str, event_data: str | None, event_id: str) -> int:
    """Emit one event by hand, as the trigger would. Exit code 6: it could not be used, and is a dead letter now."""
    from hostd.client import to_payload

    request = pb.FireTriggerRequest(
        namespace=session.namespace,
        data=None if event_data is None else to_payload(json_argument(event_data, "--event-data")),
        event_id=event_id,
        **named(workflow, name),
    )
    fired = session.call(session.client.triggers.FireTrigger, request)
    session.show(fired, lambda answer: fields(answer.items()))
    if fired.outcome != "DEAD_LETTERED":
        return 0
    warn(_why_unused(session, fired.event_id))
    return CODES[Kind.STATE].exit


def _why_unused(session: Session, event_id: str) -> str:
    """Return why an event is a dead letter."""
    request = letters_pb.ListDeadLettersRequest(
        namespace=session.namespace, filter=f"event_id == {json.dumps(event_id)}", page_size=100
    )
    letters = session.call(session.client.dead_letters.ListDeadLetters, request).dead_letters
    if not letters:
        return "it could not be used; `hostd dead-letters list` shows events that wait to be redriven"
    last = letters[-1]
    return f"dead letter {last.number}: {clean(last.reason)}: {clean(last.message)}"
