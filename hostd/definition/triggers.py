"""Triggers: parts of a document to trigger plans."""

from __future__ import annotations

from collections.abc import Mapping

from hostd.definition import roots
from hostd.definition.contracts import check_literal
from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas, templated_leaves
from hostd.definition.inputs import InputContract
from hostd.definition.options import check_options, unknown_component
from hostd.definition.plan import TriggerPlan
from hostd.definition.ports import Catalogue
from hostd.definition.trigger_signals import check_signal, signal_plan


def trigger_plan(
    name: str,
    part: Part,
    formulas: Formulas,
    *,
    catalogue: Catalogue | None,
    contract: InputContract | None,
    signals: Mapping[str, InputContract] | None = None,
) -> TriggerPlan:
    """Return the plan of a trigger; its mistakes are recorded.

    Args:
        contract: what checks the workflow's input; None where it takes anything or is not known here.
        signals: what checks the workflow's signals, by name; None where they are not known here.
    """
    if not formulas.trusted:
        _check_component(part, formulas, catalogue)
        _check_input(part, formulas, contract)
        check_signal(part, formulas, signals)
    given = part.part("with")
    return TriggerPlan(
        name=name,
        uses=part.get("uses", ""),
        options=formulas.template(given, roots.TRIGGER_OPTIONS) if given else formulas.nothing(),
        condition=formulas.condition(part.part("if"), roots.EVENT),
        input=formulas.template(part.part("input"), roots.EVENT),
        key=formulas.template(part.part("key"), roots.EVENT),
        line=part.node.line,
        signal=signal_plan(part.part("signal"), formulas),
        start=part.get("start", True),
    )


def _check_component(part: Part, formulas: Formulas, catalogue: Catalogue | None) -> None:
    uses = part.part("uses")
    if uses is None or catalogue is None:
        return
    info = catalogue.trigger(uses.value)
    if info is None:
        unknown_component(uses, "trigger", catalogue.trigger_ids(), catalogue.absence(uses.value), formulas.mistakes)
        return
    check_options(part, info, uses.value, formulas.mistakes)


def _check_input(part: Part, formulas: Formulas, contract: InputContract | None) -> None:
    """A literal input is checked now: every run of this trigger would be refused."""
    given = part.part("input")
    if given is None or contract is None or next(templated_leaves(given.node, ""), None) is not None:
        return
    check_literal(given, contract, "see `inputs`", formulas.mistakes)
