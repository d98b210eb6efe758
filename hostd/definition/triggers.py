"""Triggers: parts of a document to trigger plans."""

from __future__ import annotations

from hostd.definition import roots
from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas, templated_leaves
from hostd.definition.inputs import InputContract
from hostd.definition.mistakes import child_path
from hostd.definition.nodes import value_of
from hostd.definition.options import check_options, unknown_component
from hostd.definition.plan import TriggerPlan
from hostd.definition.ports import Catalogue
from hostd.errors.base import HostdError


def trigger_plan(
    name: str, part: Part, formulas: Formulas, *, catalogue: Catalogue | None, contract: InputContract | None
) -> TriggerPlan:
    """Return the plan of a trigger; its mistakes are recorded."""
    if not formulas.trusted:
        _check_component(part, formulas, catalogue)
        _check_input(part, formulas, contract)
    given = part.part("with")
    return TriggerPlan(
        name=name,
        uses=part.get("uses", ""),
        options=formulas.template(given, roots.TRIGGER_OPTIONS) if given else formulas.nothing(),
        condition=formulas.condition(part.part("if"), roots.EVENT),
        input=formulas.template(part.part("input"), roots.EVENT),
        key=formulas.template(part.part("key"), roots.EVENT),
        line=part.node.line,
    )


def _check_component(part: Part, formulas: Formulas, catalogue: Catalogue | None) -> None:
    uses = part.part("uses")
    if uses is None or catalogue is None:
        return
    info = catalogue.trigger(uses.value)
    if info is None:
        unknown_component(uses, "TRIGGER_UNKNOWN", "trigger", catalogue.trigger_ids(), formulas.mistakes)
        return
    check_options(part, info, uses.value, formulas.mistakes)


def _check_input(part: Part, formulas: Formulas, contract: InputContract | None) -> None:
    """A literal input is checked now: every run of this trigger would be refused."""
    given = part.part("input")
    if given is None or contract is None or next(templated_leaves(given.node, ""), None) is not None:
        return
    try:
        contract.accept(value_of(given.node))
    except HostdError as error:
        for fault in error.violations:
            path = child_path(given.path, fault.path) if fault.path and not fault.path.startswith("[") else given.path
            formulas.mistakes.add(path, fault.reason, fault.message, "see `inputs`", node=given.node)
