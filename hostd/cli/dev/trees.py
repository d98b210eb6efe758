"""A run as a tree of its steps: state, duration, tries, and the output or the failure in short. Pure."""

from __future__ import annotations

import textwrap
from typing import Any

from hostd.cli import run_views
from hostd.cli.dev.excerpts import fix_of
from hostd.cli.dev.screen import dim, fitted, moment, styled
from hostd.cli.run_tree import depths_of, sign_of
from hostd.cli.tables import clean, paint
from hostd.cli.terminal import colored
from hostd.values.durations import format_duration_ms
from hostd.values.json_text import dump_json
from hostd.values.times import parse_time_ms

Json = dict[str, Any]
_INDENT = 11  # below what stands behind time and sign
_STEPS_MAX = 40
_WORTH = {"FAILED": 0, "RUNNING": 1, "RETRYING": 1, "WAITING": 2, "READY": 3, "PENDING": 5}


def run_lines(run: Json, *, now_ms: int, columns: int, rows: int = _STEPS_MAX) -> list[str]:
    """Return a run's line and one for each step, a child further right than what it needs.

    Where there are more steps than rows, those that move and those that failed are shown first.
    """
    steps = [step for step in run["steps"] if _shows(step)]
    depths = depths_of(run["steps"])
    name = max((2 * depths[step["id"]] + len(step["id"]) for step in steps), default=0)
    name = min(name, max(12, columns // 3))
    shown = _chosen(steps, max(1, rows - 1))
    lines = [head_line(run, now_ms=now_ms, columns=columns)]
    lines += [_step_line(step, depths[step["id"]], name, now_ms=now_ms, columns=columns) for step in shown]
    if len(shown) < len(steps):
        lines.append(" " * _INDENT + dim(f"and {len(steps) - len(shown)} more steps"))
    return lines


def ended_lines(run: Json, *, columns: int) -> list[str]:
    """Return a run that has ended: the tree, its output, and of one that failed why, and what to do."""
    explained = {failure["step"] for failure in run["failures"]}  # in full below
    steps = [{**step, "error": None} if step["id"] in explained else step for step in run["steps"]]
    tree = run_lines({**run, "steps": steps}, now_ms=0, columns=columns)
    return [*tree, *outcome_lines(run, columns=columns)]


def outcome_lines(run: Json, *, columns: int) -> list[str]:
    """Return the output of a run, or why it did not succeed."""
    lines = []
    if run["output"] is not None:
        room = columns - _INDENT - 8
        lines.append(f"{'':{_INDENT}}{dim('output')}  {fitted(short_value(run['output']), room)}")
    for failure in run["failures"]:
        lines += failure_lines(failure, columns=columns)
    if not run["failures"] and run["reason"]:
        lines += _wrapped(f"{run['reason']}: {run['message']}", columns)
    return lines


def failure_lines(failure: Json, *, columns: int) -> list[str]:
    """Return why a step failed, and the fix."""
    lines = _wrapped(f"{failure['step'] or 'the run'}: {run_views.failure_text(failure)}", columns)
    fix = fix_of(failure["reason"])
    lines[:1] = [_red_reason(line, failure["reason"]) for line in lines[:1]]
    return lines + (_wrapped(f"fix: {fix}", columns) if fix else [])


def _red_reason(line: str, reason: str) -> str:
    return line.replace(reason, styled(reason, fg="red"), 1)


def head_line(run: Json, *, now_ms: int, columns: int) -> str:
    """Return a run in one line."""
    state = run["state"] or "PENDING"
    spent = took(run["create_time"], run["end_time"], now_ms)
    plain = f"00:00:00 {sign_of(state)} {run['workflow']}  {run['run_id']}  {state}  {spent}"
    by = f"  by {run['trigger']}" if run["trigger"] else ""
    by = dim(clean(by)) if len(plain) + len(by) <= columns else ""
    name = styled(clean(run["workflow"]), bold=True)
    at = moment(run["end_time"] or run["create_time"])
    return f"{at} {_painted(sign_of(state), state)} {name}  {dim(run['run_id'])}  {_painted(state)}  {spent}{by}"


def took(start: str | None, end: str | None, now_ms: int) -> str:
    """Return how long something took, or takes so far: 28ms, 1.3s, 2m5s."""
    if not start:
        return ""
    spent_ms = max(0, (parse_time_ms(end) if end else now_ms) - parse_time_ms(start))
    if spent_ms < 1_000 and end:
        return f"{spent_ms}ms"
    return f"{spent_ms / 1000:.1f}s" if spent_ms < 60_000 else format_duration_ms(spent_ms // 1000 * 1000)


def _shows(step: Json) -> bool:
    """Say whether a step is worth a line: a handler only where it was reached."""
    return not step["handler"] or step["state"] not in (None, "PENDING", "SKIPPED")


def _chosen(steps: list[Json], rows: int) -> list[Json]:
    if len(steps) <= rows:
        return steps
    order = sorted(range(len(steps)), key=lambda at: (_WORTH.get(steps[at]["state"], 4), at))
    return [steps[at] for at in sorted(order[: max(1, rows - 1)])]


def _step_line(step: Json, depth: int, name_width: int, *, now_ms: int, columns: int) -> str:
    state = step["state"] or "PENDING"
    name = fitted_left("  " * depth + clean(step["id"]), name_width)
    spent = took(step["start_time"], step["end_time"], now_ms) if state not in ("PENDING", "READY") else ""
    tries = f"#{step['attempts']}" if step["attempts"] > 1 else ""
    head = f"{'':{_INDENT - 2}}{sign_of(state)} {name:<{name_width}}  {state:<9}  {spent:>6}"
    rest = "  ".join(part for part in (tries, _detail(step, state)) if part)
    rest = fitted(rest, max(0, columns - len(head) - 2))
    painted = f"{'':{_INDENT - 2}}{_painted(sign_of(state), state)} {name:<{name_width}}  "
    painted += f"{_painted(state)}{'':{9 - len(state)}}  {spent:>6}"
    return f"{painted}  {rest if state == 'FAILED' else dim(rest)}".rstrip() if rest else painted.rstrip()


def fitted_left(text: str, columns: int) -> str:
    """Return a text cut at its end, with the spaces before it."""
    return text if len(text) <= columns else text[: columns - 1] + "…"


def _detail(step: Json, state: str) -> str:
    if state in ("FAILED", "RETRYING") and step["error"]:
        return clean(run_views.failure_text(step["error"]))
    return short_value(step["output"]) if state == "SUCCEEDED" and step["output"] is not None else ""


def short_value(value: Any) -> str:
    """Return a value in one line."""
    return clean(dump_json(value).decode())[:2_000]


def _painted(text: str, state: str = "") -> str:
    if not colored():
        return text
    return paint(state or text).replace(state or text, text)


def _wrapped(text: str, columns: int) -> list[str]:
    said, before = clean(" ".join(text.split())), " " * _INDENT
    return textwrap.wrap(said, max(40, columns), initial_indent=before, subsequent_indent=before + "  ") or [before]


# -- without a terminal: a line for each thing that happens


def step_told(run: Json, step: Json, *, now_ms: int) -> str:
    """Return what became of a step, as a line of its own."""
    state = step["state"]
    spent = took(step["start_time"], step["end_time"], now_ms)
    parts = [step["id"], state, spent if state in ("SUCCEEDED", "FAILED", "CANCELED") else "", _detail(step, state)]
    return f"{moment()}   {run['workflow']} {run['run_id']}  {'  '.join(part for part in parts if part)}"
