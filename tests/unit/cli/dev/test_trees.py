"""Runs as trees of their steps."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.cli.dev.trees import ended_lines, run_lines, step_told, took
from hostd.cli.terminal import WISHES
from hostd.values.times import parse_time_ms

START, END = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.300Z"


@pytest.fixture(autouse=True)
def plain() -> Any:
    """Draw in ASCII."""
    WISHES.hear(no_unicode=True)
    yield
    WISHES.forget()


def step(name: str, state: str, *needs: str, **more: Any) -> dict[str, Any]:
    """Return a step as the daemon tells it."""
    known = {"attempts": 1, "start_time": START, "end_time": None, "error": None, "output": None, "handler": ""}
    return {"id": name, "state": state, "needs": list(needs), **known, **more}


def whole(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a run."""
    known = {"state": "RUNNING", "create_time": START, "end_time": None, "trigger": "", "failures": [], "output": None}
    return {"workflow": "w", "run_id": "r", "reason": "", "message": "", **known, "steps": list(steps), **more}


def failure(reason: str, message: str) -> dict[str, Any]:
    """Return why a step failed."""
    return {"step": "b", "reason": reason, "code": "", "message": message}


def test_steps_stand_below_what_they_need() -> None:
    """With their state, how long, how often, and what came out, in aligned columns; handlers only once reached."""
    run = whole(
        step("a", "SUCCEEDED", end_time=END, output={"n": 1}),
        step("b", "RETRYING", "a", attempts=3, error=failure("ACTION_FAILED", "no route")),
        step("c", "PENDING", "b", start_time=None),
        step("handlers.failure", "PENDING", handler="failure"),
        trigger="door",
    )
    head, *lines = run_lines(run, now_ms=parse_time_ms(END), columns=90)
    assert head.endswith("> w  r  RUNNING  1.3s  by door")
    assert lines == [
        '         + a      SUCCEEDED    1.3s  {"n":1}',
        "         %   b    RETRYING     1.3s  #3 ACTION_FAILED: no route",
        "         .     c  PENDING",
    ]


def test_no_line_is_wider_or_more_than_asked_for() -> None:
    """Long outputs are cut; of many steps those that move and those that failed are shown."""
    steps = [step(f"s{at}", "SUCCEEDED", end_time=END, output="x" * 500) for at in range(30)]
    steps += [step("moves", "RUNNING"), step("bad", "FAILED", error=failure("X", "y" * 500))]
    lines = run_lines(whole(*steps), now_ms=0, columns=60, rows=6)
    assert max(map(len, lines)) <= 60
    assert len(lines) == 6
    assert any("moves" in line for line in lines) and any("bad" in line for line in lines)
    assert lines[-1].strip() == "and 28 more steps"


def test_an_end_says_output_or_reason_and_fix() -> None:
    """What failed is told once, whole, with the fix of its reason."""
    good = ended_lines(whole(state="SUCCEEDED", end_time=END, output=[1]), columns=80)
    assert good[-1] == "           output  [1]"
    told = failure("ACTION_UNKNOWN", "no loaded plugin provides x.y")
    bad = ended_lines(whole(step("b", "FAILED", error=told), state="FAILED", end_time=END, failures=[told]), columns=80)
    assert sum("no loaded plugin" in line for line in bad) == 1
    assert "           b: ACTION_UNKNOWN: no loaded plugin provides x.y" in bad
    assert any(line.strip().startswith("fix: ") for line in bad)
    canceled = whole(state="CANCELED", end_time=END, reason="CANCELED", message="enough")
    assert ended_lines(canceled, columns=80)[-1].strip() == "CANCELED: enough"


def test_what_steps_say_does_not_steer_the_terminal() -> None:
    """Escapes in names, outputs and messages are shown as text."""
    run = whole(step("a", "SUCCEEDED", output="\x1b[2J"), state="FAILED", failures=[failure("X", "\x1b[31m")])
    assert "\x1b" not in "\n".join(ended_lines(run, columns=80))


def test_lines_for_pipes() -> None:
    """A step that ended is one line with run, state, duration and output."""
    line = step_told(whole(), step("a", "SUCCEEDED", end_time=END, output=1), now_ms=0)
    assert line.endswith("  w r  a  SUCCEEDED  1.3s  1")


def test_durations_are_short() -> None:
    """Milliseconds below a second, tenths below a minute, then whole seconds."""
    assert took(START, "2026-01-01T00:00:00.028Z", 0) == "28ms"
    assert took(START, END, 0) == "1.3s"
    assert took(START, "2026-01-01T00:02:05.4Z", 0) == "2m5s"
    assert took(None, None, 0) == ""
    assert took(START, None, parse_time_ms(START) - 5) == "0.0s"
