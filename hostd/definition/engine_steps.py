"""The steps that the engine does itself: `flow.wait`, `flow.pass`, `flow.fail` and `flow.end`, and their options."""

from __future__ import annotations

import datetime
import re

from hostd.definition.fit import Part, fit
from hostd.definition.fixes import propose_duration
from hostd.definition.grammar import ENGINE_STEPS, ENGINE_STEPS_LATER
from hostd.definition.mistakes import Mistakes, child_path, did_you_mean, shown
from hostd.definition.nodes import Node
from hostd.definition.plan import StepKind
from hostd.values.durations import parse_duration_ms

KINDS = {
    "flow.wait": StepKind.WAIT,
    "flow.pass": StepKind.PASS,
    "flow.fail": StepKind.FAIL,
    "flow.end": StepKind.END,
}
END_STATES = ("SUCCEEDED", "FAILED", "CANCELED")
NO_ATTEMPTS = ("retry", "timeout", "deadline", "executor")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def is_engine_step(uses: str) -> bool:
    """Say whether a step's `uses` lies in the engine's own domain."""
    return uses.startswith("flow.")


def check_engine_step(step: Part, uses: Part, *, handler: bool, mistakes: Mistakes) -> None:
    """Record what is wrong with a `flow.*` step: its name, its options, keys that mean nothing for it."""
    name = uses.value
    if name in ENGINE_STEPS_LATER:
        mistakes.add(uses.path, "NOT_YET_SUPPORTED", f"{name} is not built yet", "leave the step out", node=uses.node)
        return
    if name not in ENGINE_STEPS:
        known = [*ENGINE_STEPS, *ENGINE_STEPS_LATER]
        mistakes.add(uses.path, "ACTION_UNKNOWN", f"there is no {name}", did_you_mean(name, known), node=uses.node)
        return
    if handler and name == "flow.end":
        mistakes.add(uses.path, "VALUE_INVALID", "the run is ending already; a handler cannot end it", node=uses.node)
    _refuse_attempt_keys(step, name, mistakes)
    _check_options(step, name, mistakes)


def _refuse_attempt_keys(step: Part, name: str, mistakes: Mistakes) -> None:
    for key in NO_ATTEMPTS:
        if step.wrote(key):
            message = f"`{key}` means nothing for {name}: the engine does it itself, once"
            mark = step.node.key_marks.get(key)
            mistakes.add(child_path(step.path, key), "KEY_UNKNOWN", message, "leave it out", mark=mark)


def _check_options(step: Part, name: str, mistakes: Mistakes) -> None:
    given = step.part("with")
    if given is None and step.wrote("with"):
        return
    node = given.node if given else Node("map", {}, line=step.node.line, column=step.node.column)
    options = fit(node, ENGINE_STEPS[name], child_path(step.path, "with"), mistakes)
    if options is None:
        return
    if name == "flow.wait":
        _check_wait(options, mistakes)
    elif name == "flow.end":
        _check_end(options, mistakes)


def _literal(options: Part, key: str) -> tuple[Part, str] | None:
    part = options.part(key)
    if part is None or "${{" in part.node.value:
        return None
    return part, part.node.value


def _check_wait(options: Part, mistakes: Mistakes) -> None:
    if options.wrote("duration") == options.wrote("until"):
        both = "not both" if options.wrote("duration") else "neither is there"
        mistakes.add(
            options.path,
            "KEY_MISSING",
            f"flow.wait takes `duration` or `until`, {both}",
            "with: {duration: 10m}",
            node=options.node,
        )
    duration = _literal(options, "duration")
    if duration:
        try:
            parse_duration_ms(duration[1])
        except ValueError as error:
            hint = propose_duration(duration[1])
            mistakes.add(duration[0].path, "VALUE_INVALID", str(error), hint, node=duration[0].node)
    until = _literal(options, "until")
    if until and not _is_time(until[1]):
        message = f"{shown(until[1])} is no time such as 2031-01-01T00:00:00Z"
        mistakes.add(until[0].path, "VALUE_INVALID", message, "write RFC 3339 with an offset", node=until[0].node)


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _check_end(options: Part, mistakes: Mistakes) -> None:
    state = _literal(options, "state")
    if state and state[1] not in END_STATES:
        message = f"{shown(state[1])} is not {', '.join(END_STATES)}"
        mistakes.add(state[0].path, "VALUE_INVALID", message, did_you_mean(state[1], END_STATES), node=state[0].node)
