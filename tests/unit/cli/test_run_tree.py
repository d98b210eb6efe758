"""The steps of a run that is watched on a terminal."""

from typing import Any

import pytest

from hostd.cli.run_tree import move_step, tree_lines
from hostd.cli.terminal import WISHES
from hostd.values.times import parse_time_ms

NOW = "2026-01-01T00:00:10Z"


@pytest.fixture(autouse=True)
def plain() -> Any:
    """Draw in ASCII."""
    WISHES.hear(no_unicode=True)
    yield
    WISHES.forget()


def step(name: str, state: str, needs: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """Return a step as `-o json` prints it."""
    known = {"attempts": 1, "start_time": "2026-01-01T00:00:00Z", "end_time": None, "error": None}
    return {"id": name, "state": state, "needs": list(needs), **known, **fields}


def lines(steps: list[dict[str, Any]], *, columns: int = 80, rows: int = 24) -> list[str]:
    """Return a run's drawing ten seconds after its start."""
    run = {"workflow": "w", "run_id": "r", "state": "RUNNING", "create_time": "2026-01-01T00:00:00Z",
           "end_time": None, "steps": steps}  # fmt: skip
    return tree_lines(run, now_ms=parse_time_ms(NOW), columns=columns, rows=rows)


def test_steps_stand_below_what_they_need() -> None:
    """Sign, name, state, time, tries, and why it failed."""
    error = {"reason": "ACTION_FAILED", "code": "", "message": "no\x1b"}
    found = lines(
        [
            step("fetch", "SUCCEEDED", end_time="2026-01-01T00:00:04Z"),
            step("say", "RETRYING", ("fetch",), attempts=2, error=error),
            step("never", "PENDING", ("say",), attempts=0, start_time=None),
        ]
    )

    assert found == [
        "w r  RUNNING  10s",
        "+ fetch      SUCCEEDED  4s",
        "%   say      RETRYING   10s  #2  ACTION_FAILED: no\\x1b",
        ".     never  PENDING",
    ]


def test_what_does_not_fit_is_counted() -> None:
    """Of many steps those that failed or move are shown; no line is wider than the terminal."""
    steps = [step(f"s{n}", "SUCCEEDED") for n in range(100)]
    steps[60]["state"], steps[80]["state"] = "FAILED", "RUNNING"
    found = lines(steps, columns=40, rows=8)

    assert len(found) <= 8
    assert [line.split()[1] for line in found[1:-1] if "SUCCEEDED" not in line] == ["s60", "s80"]
    assert found[-1].startswith("and 9")
    assert max(map(len, found)) <= 40


def test_records_move_a_step() -> None:
    """State, number of attempts, beginning, end and failure follow the records."""
    moved = step("a", "PENDING", attempts=0, start_time=None)
    base = {"attempt": 0, "failure": None, "step_state": None, "time": NOW}
    move_step(moved, {**base, "step_state": "RUNNING", "attempt": 1})
    assert (moved["state"], moved["attempts"], moved["start_time"], moved["end_time"]) == ("RUNNING", 1, NOW, None)
    move_step(moved, {**base, "step_state": "FAILED", "attempt": 1, "failure": {"reason": "X"}})
    assert (moved["state"], moved["end_time"], moved["error"]) == ("FAILED", NOW, {"reason": "X"})
