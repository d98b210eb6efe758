"""A run that is watched on a terminal: its steps in the order of its plan, drawn anew with each record."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

from hostd.cli import run_views
from hostd.cli.moments import wall_ms
from hostd.cli.tables import clean, paint, shortened
from hostd.cli.terminal import colored, height, unicode, width
from hostd.values.durations import format_duration_ms
from hostd.values.times import parse_time_ms

EVERY_S = 0.2
_UNICODE = {
    "PENDING": "·", "READY": "○", "RUNNING": "▶", "WAITING": "◷", "RETRYING": "↻", "SUCCEEDED": "✓", "FAILED": "✗",
    "SKIPPED": "–", "CANCELED": "■", "CANCELING": "■", "TIMED_OUT": "✗", "PAUSED": "‖", "HELD": "‖",
    "COMPENSATING": "↺",
}  # fmt: skip
_ASCII = {
    "PENDING": ".", "READY": "o", "RUNNING": ">", "WAITING": "~", "RETRYING": "%", "SUCCEEDED": "+", "FAILED": "x",
    "SKIPPED": "-", "CANCELED": "!", "CANCELING": "!", "TIMED_OUT": "x", "PAUSED": "=", "HELD": "=",
    "COMPENSATING": "<",
}  # fmt: skip


def tree_lines(run: dict[str, Any], *, now_ms: int, columns: int, rows: int) -> list[str]:
    """Return a run and its steps as lines, a child below what it needs; no more rows and columns than are given.

    Where there are more steps than rows, those that move and those that failed are shown first.
    """
    steps = run["steps"]
    depths = depths_of(steps)
    left = max((2 * depths[step["id"]] + len(step["id"]) for step in steps), default=0)
    left = min(left, columns // 2)
    shown = _chosen(steps, rows - 2)
    lines = [shortened(_head(run, now_ms), columns)]
    lines += [_step_line(step, depths[step["id"]], left, now_ms=now_ms, columns=columns) for step in shown]
    if len(shown) < len(steps):
        lines.append(f"and {len(steps) - len(shown)} more steps")
    return lines


def _head(run: dict[str, Any], now_ms: int) -> str:
    took = took_text(run["create_time"], run["end_time"], now_ms)
    return f"{run['workflow']} {run['run_id']}  {run['state'] or ''}  {took}"


def sign_of(state: str) -> str:
    """Return the sign of a step's or a run's state."""
    return (_UNICODE if unicode() else _ASCII).get(state, "?")


def depths_of(steps: list[dict[str, Any]]) -> dict[str, int]:
    """Return how deep each step stands: one below the deepest of its needs. Steps stand after their needs."""
    depths: dict[str, int] = {}
    for step in steps:
        depths[step["id"]] = min(8, max((depths.get(need, 0) + 1 for need in step["needs"]), default=0))
    return depths


def _chosen(steps: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    if len(steps) <= rows:
        return steps
    worth = {"FAILED": 0, "RUNNING": 1, "RETRYING": 1, "WAITING": 2, "READY": 3, "PENDING": 5}
    best = sorted(range(len(steps)), key=lambda at: (worth.get(steps[at]["state"], 4), at))[: max(1, rows - 1)]
    return [steps[at] for at in sorted(best)]


def _step_line(step: dict[str, Any], depth: int, left: int, *, now_ms: int, columns: int) -> str:
    state = step["state"] or "PENDING"
    sign = sign_of(state)
    name = shortened("  " * depth + clean(step["id"]), left)
    tries = f"#{step['attempts']}" if step["attempts"] > 1 else ""
    took = took_text(step["start_time"], step["end_time"], now_ms)
    error = step["error"]
    why = clean(run_views.failure_text(error)) if error and state in ("FAILED", "RETRYING") else ""
    rest = "  ".join(part for part in (f"{took:<8}".rstrip(), tries, why) if part)
    line = shortened(f"{sign} {name:<{left}}  {state:<9}  {rest}".rstrip(), columns)
    return line.replace(state, paint(state), 1).replace(sign, _same_color(sign, state), 1) if colored() else line


def _same_color(sign: str, state: str) -> str:
    return paint(state).replace(state, sign)


def took_text(start: str | None, end: str | None, now_ms: int) -> str:
    """Return how long something took; while it goes on, how long so far, in tenths of a second."""
    if not start:
        return ""
    took_ms = (parse_time_ms(end) if end else now_ms) - parse_time_ms(start)
    return format_duration_ms(max(0, took_ms if end else took_ms // 100 * 100))


class LiveTree:
    """Draws a run over itself until it is left. Records move the steps; a thread moves the clocks."""

    def __init__(self, run: dict[str, Any]) -> None:
        self._run = run
        self._steps = {step["id"]: step for step in run["steps"]}
        for step in run["steps"]:  # the records say everything anew, from the first
            step.update(state="PENDING", attempts=0, start_time=None, end_time=None, error=None)
        if run["state"] is not None:
            run.update(state="PENDING", end_time=None)
        self._drawn = 0
        self._said = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="tree", daemon=True)

    def __enter__(self) -> LiveTree:
        self._draw()
        self._clock.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._clock.join()
        self._draw()

    def add(self, record: dict[str, Any]) -> None:
        """Take a record; it shows with the next drawing."""
        with self._lock:
            if record["run_state"]:
                self._run["state"] = record["run_state"]
            step = self._steps.get(record["step"] or "")
            if step is not None:
                move_step(step, record)
                if self._run["state"] == "PENDING":
                    self._run["state"] = "RUNNING"

    def end(self, run: dict[str, Any]) -> None:
        """Take the run as it ended."""
        with self._lock:
            self._run = run
            self._said = ""

    def say(self, text: str) -> None:
        """Show a line below the steps, until the next one."""
        with self._lock:
            self._said = text

    def _tick(self) -> None:
        while not self._over.wait(EVERY_S):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            rows = max(4, height() - 1)
            now_ms = wall_ms()
            lines = tree_lines(self._run, now_ms=now_ms, columns=width() - 1, rows=rows - 1)
            lines += [shortened(self._said, width() - 1)] if self._said else []
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stdout.write("\r" + up + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        sys.stdout.flush()
        self._drawn = len(lines)


def move_step(step: dict[str, Any], record: dict[str, Any]) -> None:
    """Bring a step to where a record leaves it."""
    step["state"] = record["step_state"] or step["state"]
    step["attempts"] = max(step["attempts"], record["attempt"] or 0)
    step["start_time"] = step["start_time"] or (record["time"] if step["state"] not in ("PENDING", "READY") else None)
    if step["state"] in ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"):
        step["end_time"] = record["time"]
    if record["failure"]:
        step["error"] = record["failure"]
