"""A trigger's `signal` and `start`: what its events say to the open run of their key."""

from __future__ import annotations

from collections.abc import Mapping

from hostd.definition import roots
from hostd.definition.contracts import check_literal
from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas, templated_leaves
from hostd.definition.inputs import InputContract
from hostd.definition.mistakes import did_you_mean
from hostd.definition.nodes import value_of
from hostd.definition.plan import SignalPlan


def signal_plan(part: Part | None, formulas: Formulas) -> SignalPlan | None:
    """Return what the events of a trigger say, None where they start runs of their own."""
    if part is None:
        return None
    return SignalPlan(
        name=formulas.template(part.part("name"), roots.EVENT),
        data=formulas.template(part.part("data"), roots.EVENT),
    )


def check_signal(part: Part, formulas: Formulas, signals: Mapping[str, InputContract] | None) -> None:
    """Record what is wrong with the keys around a signal, and with what it says where that is literal."""
    mistakes = formulas.mistakes
    signal, start = part.part("signal"), part.part("start")
    if signal is None:
        if start is not None:
            mistakes.add(
                start.path, "VALUE_INVALID", "`start` stands beside `signal` only", "remove it", node=start.node
            )
        return
    if part.part("key") is None:
        fix = "add `key`, such as ${{ event.data.id }}"
        mistakes.add(signal.path, "KEY_MISSING", "`signal` needs `key`, which names the run", fix, node=signal.node)
    given = part.part("input")
    if given is not None and part.get("start", True) is False:
        message = "`input` is never used: with `start: false` no run is started"
        mistakes.add(given.path, "VALUE_INVALID", message, "remove one of the two", node=given.node)
    if signals is not None:
        _check_said(signal, formulas, signals)


def _check_said(signal: Part, formulas: Formulas, signals: Mapping[str, InputContract]) -> None:
    name, data = signal.part("name"), signal.part("data")
    if name is None or not _literal(name):
        return
    word = str(value_of(name.node))
    contract = signals.get(word)
    if contract is None:
        known = ", ".join(sorted(signals)[:20]) or "none"
        message = f"the workflow takes no signal {word[:80]!r}; `signals` has {known}"
        fix = did_you_mean(word, signals) or "declare it under `signals`"
        formulas.mistakes.add(name.path, "SIGNAL_UNKNOWN", message, fix, node=name.node)
    elif data is not None and _literal(data):
        check_literal(data, contract, "see `signals`", formulas.mistakes)


def _literal(part: Part) -> bool:
    return next(templated_leaves(part.node, ""), None) is None
