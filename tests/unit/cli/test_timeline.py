"""The drawing of a run over time."""

from typing import Any

from hostd.cli.spans import Span, spans_of
from hostd.cli.timeline import style, timeline
from hostd.values.times import parse_time_ms


def at(ms: int) -> str:
    """Return a time, some milliseconds after midnight."""
    return f"2026-01-01T00:00:{ms // 1000:02}.{ms % 1000:03}Z"


def record(kind: str, ms: int, step: str = "", **fields: Any) -> dict[str, Any]:
    """Return a record as `-o json` prints it."""
    return {"kind": kind, "time": at(ms), "step": step, "step_state": None, "due_time": None, **fields}


def step(name: str, state: str, attempts: int = 0, start: int | None = None, end: int | None = None) -> dict[str, Any]:
    """Return a step as `-o json` prints it."""
    times = {"start_time": None if start is None else at(start), "end_time": None if end is None else at(end)}
    return {"id": name, "state": state, "attempts": attempts, **times}


RECORDS = [
    record("RUN_STARTED", 0),
    record("ATTEMPT_STARTED", 0, "fetch"),
    record("ATTEMPT_FAILED", 1000, "fetch", step_state="RETRYING", due_time=at(2000)),
    record("ATTEMPT_STARTED", 2000, "fetch"),
    record("ATTEMPT_SUCCEEDED", 4000, "fetch", step_state="SUCCEEDED"),
    record("WAIT_STARTED", 4000, "nap"),
    record("WAIT_ENDED", 7000, "nap"),
    record("STEP_READY", 7000, "say"),
    record("ATTEMPT_STARTED", 7500, "say"),
]
RUN = {
    "create_time": at(0),
    "end_time": None,
    "steps": [
        step("fetch", "SUCCEEDED", 2, 0, 4000),
        step("nap", "SUCCEEDED", 0, 4000, 7000),
        step("say", "RUNNING", 1, 7500),
        step("never", "PENDING"),
    ],
}


def drawn(width: int, *, unicode: bool = False, color: bool = False, run: Any = RUN, records: Any = RECORDS) -> str:
    """Return the drawing eight seconds after the start."""
    how = style(width=width, unicode=unicode, color=color)
    return timeline(run, records, now_ms=parse_time_ms(at(8000)), how=how)


def test_a_run_is_drawn_to_scale_in_ascii() -> None:
    """Attempts, the failed one, the wait for the next try, a wait, a slot awaited, and what goes on."""
    lines = drawn(78).splitlines()
    bars = [line[7:63] for line in lines[1:5]]

    assert [line.rstrip() for line in bars] == [
        "######x.......##############",
        " " * 28 + "~" * 21,
        " " * 49 + "...###>",
        "",
    ]
    assert lines[0].split() == ["0s", "4s", "8s"]
    assert lines[1].endswith("4s 2 attempts")
    assert lines[-1].split("  ")[-1] == "> goes on"


def test_it_fits_the_width_whatever_that_is() -> None:
    """No line is longer than the terminal is wide; with Unicode other signs, at the same places."""
    for width in (60, 80, 200):
        for line in drawn(width).splitlines():
            assert len(line) <= width
    plain, rich = drawn(80).splitlines()[1:5], drawn(80, unicode=True).splitlines()[1:5]
    table = str.maketrans("█╳·░▶", "#x.~>")
    assert [line.translate(table) for line in rich] == plain


def test_a_failure_shows_however_short_the_attempt() -> None:
    """An attempt that took no time before a long wait for the next is a sign of its own."""
    records = [
        record("ATTEMPT_STARTED", 0, "fetch"),
        record("ATTEMPT_FAILED", 1, "fetch", step_state="RETRYING", due_time=at(5000)),
    ]
    assert drawn(80, records=records).splitlines()[1].startswith("fetch  x...")


def test_colors_are_only_added() -> None:
    """Without its escape sequences the coloured drawing is the plain one."""
    import click

    assert "\x1b[31m" in drawn(80, color=True)
    assert click.unstyle(drawn(80, color=True)) == drawn(80)


def test_nothing_is_drawn_of_nothing() -> None:
    """A run whose steps have not begun, and one that is held, have no drawing."""
    assert drawn(80, records=RECORDS[:1]) == ""
    assert drawn(80, run={**RUN, "create_time": None}) == ""


def test_a_run_that_ended_ends_what_was_open() -> None:
    """A terminated run leaves nothing going on."""
    spans = spans_of([record("ATTEMPT_STARTED", 0, "a"), record("TERMINATED", 500)])

    assert spans["a"] == [Span("run", parse_time_ms(at(0)), parse_time_ms(at(500)))]


def test_records_of_a_dozen_kinds_are_no_trouble() -> None:
    """Every kind of record, with and without a step, is folded or passed over."""
    from hostd.v1.run_pb2 import RecordKind

    kinds = [name.removeprefix("RECORD_KIND_") for name in RecordKind.keys()]  # noqa: SIM118  an enum of protobuf
    records = [record(kind, at_ms, name) for at_ms, kind in enumerate(kinds) for name in ("", "fetch")]
    assert drawn(80, records=records)
