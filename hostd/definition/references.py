"""Between steps: what they need, what they read, and joins that could never run."""

from __future__ import annotations

from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas, StepRead
from hostd.definition.graph import ancestors, cycles
from hostd.definition.mistakes import Mistakes
from hostd.definition.steps import StepDraft


def link_needs(drafts: list[StepDraft], index: dict[str, int], mistakes: Mistakes) -> None:
    """Turn each body step's `needs` into positions and record what is wrong with them."""
    for draft in drafts:
        if draft.part is not None:
            draft.needs = _positions(draft, index, mistakes)
    for circle in cycles([draft.needs for draft in drafts]):
        _tell_circle(circle, drafts, mistakes)


def _positions(draft: StepDraft, index: dict[str, int], mistakes: Mistakes) -> tuple[int, ...]:
    positions: list[int] = []
    for item in draft.part.get("needs", []) if draft.part else []:
        position = index.get(item.value)
        if position is None:
            hint = mistakes.did_you_mean(item.value, index)
            mistakes.add(item.path, "NEED_UNKNOWN", f"there is no step {item.value}", hint, node=item.node)
        elif item.value == draft.id:
            mistakes.add(item.path, "NEED_CYCLE", f"{draft.id} needs itself", "remove it", node=item.node)
        elif position in positions:
            mistakes.add(item.path, "VALUE_INVALID", f"{item.value} stands twice", "keep one of them", node=item.node)
        else:
            positions.append(position)
    return tuple(positions)


def _tell_circle(circle: list[int], drafts: list[StepDraft], mistakes: Mistakes) -> None:
    first = drafts[circle[0]]
    path = " -> ".join(drafts[position].id for position in circle)
    part: Part | None = first.part.part("needs") if first.part else None
    if part is None:
        return
    mistakes.add(
        part.path,
        "NEED_CYCLE",
        f"steps need each other in a circle: {path}",
        "remove one of these needs",
        node=part.node,
    )


def check_reads(drafts: list[StepDraft], index: dict[str, int], formulas: Formulas) -> None:
    """Record reads of body steps that are not among a step's ancestors. An ancestor of a need has ended too."""
    above = ancestors([draft.needs for draft in drafts])
    for position, draft in enumerate(drafts):
        for read in draft.reads:
            wanted = index.get(read.step_id)
            if wanted is None:
                formulas.unknown_step(read, index)
            elif wanted == position:
                _refuse_own(read, formulas.mistakes)
            elif not above[position] >> wanted & 1:
                _tell_unneeded(draft, drafts, read, formulas.mistakes)


def check_known(reads: tuple[StepRead, ...], index: dict[str, int], formulas: Formulas) -> None:
    """Record reads of steps that are not there, where every step has ended (handlers, `output`)."""
    for read in reads:
        if read.step_id not in index:
            formulas.unknown_step(read, index)


def _refuse_own(read: StepRead, mistakes: Mistakes) -> None:
    message = f"{read.step_id} reads its own result, which is not there before it has ended"
    mistakes.add(read.path, "NEED_MISSING", message, node=read.node)


def _tell_unneeded(draft: StepDraft, drafts: list[StepDraft], read: StepRead, mistakes: Mistakes) -> None:
    needs = [drafts[need].id for need in draft.needs] + [read.step_id]
    written = needs[0] if len(needs) == 1 else f"[{', '.join(needs)}]"
    mistakes.add(
        read.path,
        "NEED_MISSING",
        f"steps.{read.step_id} is read, but {draft.id} does not need {read.step_id}",
        f"add needs: {written}",
        node=read.node,
    )


def warnings_of(drafts: list[StepDraft]) -> tuple[str, ...]:
    """Return warnings of joins that could never run: two direct needs whose conditions are each other's negation."""
    found = []
    for draft in drafts:
        if draft.condition is not None and draft.condition.uses_status:
            continue
        conditions = [(drafts[need].id, drafts[need].condition) for need in draft.needs[:32]]
        sources = {step_id: "".join(condition.source.split()) for step_id, condition in conditions if condition}
        for one, source in sources.items():
            other = next((step_id for step_id, text in sources.items() if text in _negations(source)), "")
            if other:
                found.append(
                    f"{draft.id} can never run: it needs {other} and {one}, and one of them is always skipped;"
                    f" write if: none_failed()"
                )
                break
    return tuple(found)


def _negations(source: str) -> tuple[str, ...]:
    negated = [f"!({source})", f"!{source}"]
    if source.count("==") == 1 and "!=" not in source and "&&" not in source and "||" not in source:
        negated.append(source.replace("==", "!="))
    return tuple(negated)
