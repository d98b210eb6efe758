"""`hostd event`: publishing events, subscribing to topics, types that were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli.completing import complete_files
from hostd.cli.inputs import json_argument, pairs_argument, read_file
from hostd.cli.lazy import Noun
from hostd.cli.lost_connection import Pause, reconnect_option
from hostd.cli.printing import NOTHING, say, warn
from hostd.cli.session import Session, remote
from hostd.cli.tables import columns
from hostd.errors.base import invalid
from hostd.values.json_text import dump_json, parse_json
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import event_service_pb2 as pb
else:
    pb = lazily("hostd.v1.event_service_pb2")

DATA_CHARS = 120


@click.group(cls=Noun)
def event() -> None:
    """Publish events to durable topics, and subscribe to them."""


@event.command()
@click.argument("topic")
@click.option("--type", "kind", metavar="TYPE", default="", help="What happened; else the topic.")
@click.option("--subject", metavar="TEXT", default="", help="What it is about.")
@click.option("--source", metavar="URI", default="", help="Who says so; else /hostd/NAMESPACE.")
@click.option("--id", "event_id", metavar="ID", default="", help="Unique for the source: the same again is no news.")
@click.option("--extension", multiple=True, metavar="NAME=VALUE", help="A further attribute; may be repeated.")
@click.option(
    "--cloudevent",
    "file",
    metavar="FILE",
    shell_complete=complete_files,
    help="A CloudEvent, or a batch of them, as JSON; - for standard input.",
)
@click.option("--request-id", metavar="ID", default="", help="The same id again gives the first answer.")
@remote
@click.option("--data", metavar="JSON", help="The event's data: JSON, @FILE, or - for standard input.")
def publish(session: Session, topic: str, file: str | None, request_id: str, **given: Any) -> None:
    """Publish an event to TOPIC, or those of a file: all or none."""
    events = _own(given) if file is None else _of_file(file, given)
    request = pb.PublishEventsRequest(
        namespace=session.namespace,
        events=[pb.NewEvent(topic=topic, event=one) for one in events],
        request_id=request_id,
    )
    session.list(session.call(session.client.events.PublishEvents, request).events, _published)


def _own(given: dict[str, Any]) -> list[pb.CloudEvent]:
    from hostd.client.events import cloud_event

    envelope: dict[str, Any] = dict(pairs_argument(given["extension"], "--extension"))
    named = {"type": given["kind"], "subject": given["subject"], "source": given["source"], "id": given["event_id"]}
    envelope |= {name: value for name, value in named.items() if value}
    if given["data"] is not None:
        envelope["data"] = json_argument(given["data"], "--data")
    return [cloud_event(envelope)]


def _of_file(file: str, given: dict[str, Any]) -> list[pb.CloudEvent]:
    from hostd.client.events import cloud_events

    if any(given.values()):
        raise invalid("ARGUMENT_INVALID", "--cloudevent holds all attributes; give no others beside it")
    return cloud_events(parse_json(read_file(file)))


def _published(items: list[Any]) -> str:
    return columns(("POSITION", "EVENT"), [(item["position"], item["event_id"]) for item in items])


@event.command()
@click.argument("topics", nargs=-1, required=True)
@click.option(
    "--after",
    metavar="N",
    type=click.IntRange(0, 2**63 - 1),
    help="Begin behind this position, 0 with all that is kept; else now.",
)
@click.option("--filter", "text", metavar="EXPR", default="", help="Only these, such as 'event.type == \"paid\"'.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="End after so many.")
@click.option("--cloudevent", "envelopes", is_flag=True, help="Print events as CloudEvents, one JSON object a line.")
@reconnect_option()
@remote
def subscribe(
    session: Session,
    topics: tuple[str, ...],
    after: int | None,
    text: str,
    limit: int | None,
    envelopes: bool,
    reconnect_s: float,
) -> None:
    """Print events of TOPICS as they come; `orders.*` is every topic that begins with `orders.`."""
    request = pb.SubscribeEventsRequest(namespace=session.namespace, topics=topics, filter=text, after=after)
    left, pause = limit, Pause(reconnect_s)
    subscribe = session.client.events.SubscribeEvents
    for answer in session.client.follow(subscribe, request, reconnect_s=reconnect_s, sleep=pause):
        pause.over()
        if answer.gone_to:
            warn(f"events up to position {answer.gone_to} are past retention; some may have been of these topics")
        for found in answer.events:
            _print(session, found, envelopes)
            if left is not None:
                left -= 1
                if not left:
                    return


def _print(session: Session, found: pb.TopicEvent, envelopes: bool) -> None:
    from hostd.cli.plain import plain
    from hostd.client.events import envelope_of

    if envelopes:
        say(dump_json(envelope_of(found.event)).decode())
    elif session.out.form == "table":
        data = found.event.data.data.decode("utf-8", "replace")
        shown = data if len(data) <= DATA_CHARS else data[:DATA_CHARS] + "..."
        say(f"{found.position}  {found.topic}  {found.event.type}  {found.event.id}  {shown}")
    else:
        session.out.item(plain(found))


@event.command()
@click.argument("topic", default="")
@click.option("--limit", metavar="N", type=click.IntRange(1), default=1000, show_default=True, help="At most so many.")
@remote
def types(session: Session, topic: str, limit: int) -> None:
    """List types of events that topics, or TOPIC, have seen in the last 30 days."""
    request = pb.ListEventTypesRequest(namespace=session.namespace, topic=topic)
    pages = session.pages(session.client.events.ListEventTypes, request)
    items = (item for page in pages for item in page.event_types)
    session.list((item for _, item in zip(range(limit), items, strict=False)), _types, none=NOTHING)


def _types(items: list[Any]) -> str:
    rows = [(item["topic"], item["type"], item["last_time"]) for item in items]
    return columns(("TOPIC", "TYPE", "LAST"), rows)
