"""`hostd dead-letters`: events that could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli.inputs import listed
from hostd.cli.lazy import Noun
from hostd.cli.moments import joined, window_options
from hostd.cli.printing import NOTHING, warn
from hostd.cli.progress import Progress
from hostd.cli.session import Session, remote
from hostd.cli.tables import columns, fields
from hostd.errors.base import Kind, invalid
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import dead_letter_service_pb2 as pb
else:
    pb = lazily("hostd.v1.dead_letter_service_pb2")

EXIT_LEFT, EXIT_MISSING = CODES[Kind.STATE].exit, CODES[Kind.MISSING].exit
REDRIVE_TIMEOUT_S = 600.0
NUMBER_MAX = 2**63 - 1
FILTER_HELP = 'Only those that fit, such as \'workflow == "order" && reason == "INPUT_INVALID"\'.'
REQUEST_HELP = "The same id within 24 hours gives the first answer."


def _numbers(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> tuple[int, ...]:
    """Return the numbers that were given; `-` reads them from standard input. Raises ARGUMENT_INVALID."""
    found = []
    for word in listed(words):
        if not (word.isascii() and word.isdigit() and len(word) <= 19 and 1 <= int(word) <= NUMBER_MAX):
            raise invalid("ARGUMENT_INVALID", f"{word[:80]!r} is no number of a dead letter")
        found.append(int(word))
    return tuple(found)


@click.group(name="dead-letters", cls=Noun)
def dead_letters() -> None:
    """Look at, redrive and purge events that could not become a run or a signal."""


@dead_letters.command(name="list")
@click.option("--filter", "text", metavar="FILTER", default="", help=FILTER_HELP)
@window_options("letters")
@click.option("--limit", metavar="N", type=click.IntRange(1), default=1000, show_default=True, help="At most so many.")
@remote
def list_letters(session: Session, text: str, since: str, until: str, limit: int) -> None:
    """List dead letters, oldest first."""
    request = pb.ListDeadLettersRequest(namespace=session.namespace, filter=joined(text, since, until))
    pages = session.pages(session.client.dead_letters.ListDeadLetters, request)
    items = (item for page in pages for item in page.dead_letters)
    session.list((item for _, item in zip(range(limit), items, strict=False)), _listing, none=NOTHING)


def _listing(letters: list[Any]) -> str:
    return columns(
        ("NUMBER", "TIME", "TRIGGER", "EVENT", "REASON", "MESSAGE"),
        [
            (item["number"], item["create_time"], f"{item['workflow']}/{item['trigger']}", item["event_id"],
             item["reason"], item["message"])
            for item in letters
        ],
    )  # fmt: skip


@dead_letters.command()
@click.argument("number", type=click.IntRange(1, NUMBER_MAX))
@remote
def show(session: Session, number: int) -> None:
    """Show a dead letter with its event."""
    request = pb.GetDeadLetterRequest(namespace=session.namespace, number=number)
    session.show(session.call(session.client.dead_letters.GetDeadLetter, request), lambda item: fields(item.items()))


@dead_letters.command()
@click.argument("numbers", nargs=-1, callback=_numbers, metavar="[NUMBER...]")
@click.option("--filter", "text", metavar="FILTER", default="", help=FILTER_HELP)
@window_options("letters")
@click.option("--all", "every", is_flag=True, help="All that there are.")
@click.option("--request-id", metavar="ID", default="", help=REQUEST_HELP)
@remote
def redrive(
    session: Session, numbers: tuple[int, ...], text: str, since: str, until: str, every: bool, request_id: str
) -> int:
    """Emit the events again, through their triggers as they are now. As a number, - reads many from standard input.

    A letter goes when its run, or its signal, is durable. Exits with 6 where letters are left, with 4 where there is
    none of a number.
    """
    text = joined(text, since, until)
    selection = _selection(numbers, text, every)
    request = pb.RedriveDeadLettersRequest(namespace=session.namespace, selection=selection, request_id=request_id)
    results: list[Any] = []
    with Progress("redriving") as progress:
        while True:
            answer = session.call(session.client.dead_letters.RedriveDeadLetters, request, timeout_s=REDRIVE_TIMEOUT_S)
            results += answer.results
            progress.note(len(results), unit="letters")
            if not answer.more_after:
                break
            request.after = answer.more_after
            request.request_id = f"{request_id}/{answer.more_after}" if request_id else ""
    session.list(results, _redriven)
    left = sum(result.outcome not in ("STARTED", "SIGNALED") for result in results)
    unknown = sorted(set(numbers) - {result.number for result in results}) if not text else []
    if unknown:
        warn(f"no such dead letter: {', '.join(map(str, unknown))}")
    if left:
        warn(f"{left} of {len(results)} are left")
    return EXIT_LEFT if left else EXIT_MISSING if unknown else 0


def _redriven(results: list[Any]) -> str:
    return columns(
        ("NUMBER", "EVENT", "OUTCOME", "RUNS", "WHY"),
        [
            (item["number"], item["event_id"], item["outcome"] or "-", item["run_ids"],
             f"{item['failure']['reason']}: {item['failure']['message']}" if item["failure"] else "")
            for item in results
        ],
    )  # fmt: skip


@dead_letters.command()
@click.argument("numbers", nargs=-1, callback=_numbers, metavar="[NUMBER...]")
@click.option("--filter", "text", metavar="FILTER", default="", help=FILTER_HELP)
@window_options("letters")
@click.option("--all", "every", is_flag=True, help="All that there are.")
@click.option("--request-id", metavar="ID", default="", help=REQUEST_HELP)
@remote
def purge(
    session: Session, numbers: tuple[int, ...], text: str, since: str, until: str, every: bool, request_id: str
) -> int:
    """Delete dead letters: their events are lost. As a number, - reads many from standard input.

    Exits with 4 where there is none of a number.
    """
    text = joined(text, since, until)
    selection = _selection(numbers, text, every)
    request = pb.PurgeDeadLettersRequest(namespace=session.namespace, selection=selection, request_id=request_id)
    answer = session.call(session.client.dead_letters.PurgeDeadLetters, request, timeout_s=REDRIVE_TIMEOUT_S)
    session.show(answer, lambda item: f"purged {item['purged']}")
    missing = len(set(numbers)) - answer.purged if not text else 0
    if missing > 0:
        warn(f"{missing} of {len(set(numbers))} were not there")
    return EXIT_MISSING if missing > 0 else 0


def _selection(numbers: tuple[int, ...], text: str, every: bool) -> pb.DeadLetterSelection:
    if not (numbers or text or every) or (every and (numbers or text)):
        raise invalid("ARGUMENT_INVALID", "say which: numbers, --filter, --since, --until, or --all")
    return pb.DeadLetterSelection(numbers=numbers, filter=text)
