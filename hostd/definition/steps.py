"""Steps and handlers: parts of a document to step plans, as far as one step can be understood by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from hostd.definition import roots
from hostd.definition.code import CodeSite, code_sites
from hostd.definition.engine_steps import KINDS, check_engine_step, is_engine_step
from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas, StepRead
from hostd.definition.grammar import EXPRESSION_WORDS
from hostd.definition.mistakes import Mistakes, child_path
from hostd.definition.options import check_options, unknown_component
from hostd.definition.plan import RetryPlan, StepKind
from hostd.definition.ports import Catalogue, ComponentInfo
from hostd.definition.retry import check_endless, check_retry, retry_plan

HANDLERS = ("success", "failure", "cancel", "exit")


class Defaults(msgspec.Struct):
    """What steps have that do not say it themselves: `defaults` of the document."""

    part: Part | None = None
    retry: RetryPlan | None = None
    timeout_ms: int = 0
    executor: str = ""


class StepDraft(msgspec.Struct):
    """A step before its needs are positions. `part` is None for a step that does not fit the grammar at all."""

    id: str
    part: Part | None
    handler: str = ""
    uses: str = ""
    kind: StepKind = StepKind.ACTION
    options: Any = None
    condition: Any = None
    retry: RetryPlan | None = None
    timeout_ms: int = 0
    needs: tuple[int, ...] = ()
    reads: tuple[StepRead, ...] = ()


class StepReader:
    """Reads the steps of one document."""

    def __init__(self, formulas: Formulas, defaults: Defaults, catalogue: Catalogue | None) -> None:
        self.formulas = formulas
        self.mistakes: Mistakes = formulas.mistakes
        self.defaults = defaults
        self.catalogue = catalogue
        self.code: list[CodeSite] = []  # scripts that were found

    def read(self, step_id: str, part: Part | None, *, handler: str = "") -> StepDraft:
        """Return the draft of a step; its mistakes are recorded."""
        if part is None:
            return StepDraft(step_id, None, handler)
        if not self.formulas.trusted:
            self._check(step_id, part, handler)
        first_read = len(self.formulas.reads)
        uses = part.get("uses", "")
        draft = StepDraft(step_id, part, handler, uses, KINDS.get(uses, StepKind.ACTION))
        is_action = not is_engine_step(uses)
        body = roots.HANDLER if handler else roots.BODY
        draft.condition = self.formulas.condition(part.part("if"), body, status=not handler)
        draft.options = self._options(part, is_action, handler)
        if is_action:
            draft.retry = self._retry(part, handler)
            draft.timeout_ms = part.get("timeout", self.defaults.timeout_ms)
        draft.reads = tuple(self.formulas.reads[first_read:])
        return draft

    def _options(self, part: Part, is_action: bool, handler: str) -> Any:
        allowed = (
            (roots.HANDLER_OPTIONS if handler else roots.OPTIONS)
            if is_action
            else (roots.HANDLER if handler else roots.BODY)
        )
        given = part.part("with")
        return self.formulas.template(given, allowed) if given else self.formulas.nothing()

    def _retry(self, part: Part, handler: str) -> RetryPlan | None:
        own = part.part("retry")
        if own is not None:
            return retry_plan(own, self.formulas, roots.HANDLER_RETRY if handler else roots.RETRY)
        return None if part.wrote("retry") else self.defaults.retry

    # -- what is wrong with one step

    def _check(self, step_id: str, part: Part, handler: str) -> None:
        if step_id in EXPRESSION_WORDS:
            message = f"{step_id} is a word of the expression language; steps.{step_id} could not be read"
            self.mistakes.add(part.path, "NAME_INVALID", message, f"write {step_id}_step", node=part.node)
        self._check_retry(part)
        uses = part.part("uses")
        if uses is None:
            return
        if is_engine_step(uses.value):
            check_engine_step(part, uses, handler=bool(handler), mistakes=self.mistakes)
        elif self.catalogue is not None:
            self._check_action(step_id, part, uses, self.catalogue)

    def _check_retry(self, part: Part) -> None:
        own = part.part("retry")
        if own is not None:
            check_retry(own, self.mistakes)
        retry = own or (self.defaults.part.part("retry") if self.defaults.part and not part.wrote("retry") else None)
        uses = part.get("uses", "")
        if retry is not None and not is_engine_step(uses):
            check_endless(
                retry, deadline=part.wrote("deadline"), path=child_path(part.path, "deadline"), mistakes=self.mistakes
            )

    def _check_action(self, step_id: str, part: Part, uses: Part, catalogue: Catalogue) -> None:
        info = catalogue.action(uses.value)
        if info is None:
            unknown_component(uses, "action", catalogue.action_ids(), catalogue.absence(uses.value), self.mistakes)
            return
        check_options(part, info, uses.value, self.mistakes)
        self.code += code_sites(step_id, part, info)
        self._check_executor(part, info, uses.value)

    def _check_executor(self, part: Part, info: ComponentInfo, action: str) -> None:
        own = part.part("executor")
        executor = own.value if own else self.defaults.executor
        allowed = list(info.executors)
        if not executor or not allowed or executor == allowed[0]:
            return
        where = own or part
        if executor in allowed:
            message = f"{action} runs in its default executor {allowed[0]}; choosing another is not built yet"
            self.mistakes.add(where.path, "NOT_YET_SUPPORTED", message, "leave `executor` out", node=where.node)
        else:
            message = f"{action} cannot run in {executor}; it allows {', '.join(allowed)}"
            self.mistakes.add(where.path, "VALUE_INVALID", message, "leave `executor` out", node=where.node)
