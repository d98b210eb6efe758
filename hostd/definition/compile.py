"""From a document to a compiled plan, with every mistake reported at once."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from hostd.definition import roots
from hostd.definition.capabilities import unknown_capabilities
from hostd.definition.code import check_code
from hostd.definition.contracts import contract_of, signal_contracts
from hostd.definition.document import Document, document_digest, read_documents
from hostd.definition.fit import Part, fit
from hostd.definition.formulas import Formulas
from hostd.definition.grammar import WORKFLOW
from hostd.definition.graph import dependents, order
from hostd.definition.inputs import InputContract
from hostd.definition.mistakes import Mistakes, document_invalid
from hostd.definition.nodes import Node, node_from_value, value_of
from hostd.definition.plan import Plan, StepPlan, TriggerPlan
from hostd.definition.ports import Catalogue, CodeCheck
from hostd.definition.references import check_known, check_reads, link_needs, warnings_of
from hostd.definition.retry import check_retry, retry_plan
from hostd.definition.steps import HANDLERS, Defaults, StepDraft, StepReader
from hostd.definition.trigger_document import compile_trigger_document, is_trigger_document
from hostd.definition.triggers import trigger_plan
from hostd.errors.base import HostdError, Violation, invariant
from hostd.values.json_text import canonical_json, parse_json

_T = TypeVar("_T")


def compile_document(document: Document, *, catalogue: Catalogue | None = None, code: CodeCheck | None = None) -> Plan:
    """Return the plan of a document.

    Args:
        catalogue: the loaded components; without one, actions, triggers and their options are not checked.
        code: compiles scripts; without one they are not looked at. It blocks.

    Raises:
        HostdError: DOCUMENT_INVALID with every mistake as a violation.
    """
    mistakes = Mistakes(document.file)
    mistakes.found.extend(document.faults)
    read = _Compiler(mistakes, catalogue, code=code).compile(document.root)
    mistakes.raise_any()
    return _with_lines(plan_from_stored(_sound(read).document), _sound(read))


def compile_text(
    text: bytes | str, *, file: str = "", catalogue: Catalogue | None = None, code: CodeCheck | None = None
) -> list[Plan]:
    """Return the plans of all workflows of a text; trigger documents beside them are checked too.

    Raises:
        HostdError: DOCUMENT_INVALID with the mistakes of all documents.
    """
    plans, faults = _compile_all(text, file, catalogue, code)
    if faults:
        raise document_invalid(faults)
    return plans


def validate_text(text: bytes | str, file: str = "", catalogue: Catalogue | None = None) -> list[Violation]:
    """Return every mistake of every document of a text, in the order of their places."""
    _, faults = _compile_all(text, file, catalogue, None)
    return list(document_invalid(faults).violations) if faults else []


def plan_from_stored(document: bytes) -> Plan:
    """Return the plan of a document that was registered, from its stored JSON (`Plan.document`).

    No catalogue is asked and no mistake looked for again: what was registered stays loadable whatever is installed.

    Raises:
        HostdError: PAYLOAD_INVALID or DOCUMENT_INVALID when the bytes are not what `Plan.document` held.
    """
    mistakes = Mistakes()
    plan = _Compiler(mistakes, None, trusted=True).compile(node_from_value(parse_json(document)))
    mistakes.raise_any()
    return _sound(plan)


def _sound(value: _T | None) -> _T:
    invariant(value is not None, "a document without mistakes has no plan")
    return cast(_T, value)


def _with_lines(plan: Plan, read: Plan) -> Plan:
    """Return a plan with the lines and warnings its text has. The plan itself is always made from the stored form.

    So what a run sees is the same before and after a restart, to the order of keys in rendered options.
    """
    lines = {step.id: step.line for step in read.steps}
    trigger_lines = {trigger.name: trigger.line for trigger in read.triggers}
    return msgspec.structs.replace(
        plan,
        warnings=read.warnings,
        steps=tuple(msgspec.structs.replace(step, line=lines[step.id]) for step in plan.steps),
        triggers=tuple(msgspec.structs.replace(trigger, line=trigger_lines[trigger.name]) for trigger in plan.triggers),
    )


def _compile_all(
    text: bytes | str, file: str, catalogue: Catalogue | None, code: CodeCheck | None
) -> tuple[list[Plan], list[Violation]]:
    documents, faults = read_documents(text, file=file)
    plans: list[Plan] = []
    own = [document for document in documents if is_trigger_document(document.root)]
    for document in (each for each in documents if not is_trigger_document(each.root)):
        try:
            plans.append(compile_document(document, catalogue=catalogue, code=code))
        except HostdError as error:
            if error.reason != "DOCUMENT_INVALID":
                raise
            faults = [*faults, *error.violations]
    for document in own:
        faults = [*faults, *_faults_of_own(document, plans, catalogue)]
    return plans, faults


def _faults_of_own(document: Document, plans: list[Plan], catalogue: Catalogue | None) -> tuple[Violation, ...]:
    """Return the mistakes of a trigger document, of its literal input too where its target stands in the same text."""
    try:
        own = compile_trigger_document(document, catalogue=catalogue)
        for plan in plans:
            if plan.workflow == own.workflow and own.version in ("", plan.version):
                compile_trigger_document(document, catalogue=catalogue, inputs=plan.inputs, signals=plan.signals)
    except HostdError as error:
        if error.reason != "DOCUMENT_INVALID":
            raise
        return error.violations
    return ()


class _Compiler:
    """Compiles one document."""

    def __init__(
        self,
        mistakes: Mistakes,
        catalogue: Catalogue | None,
        *,
        trusted: bool = False,
        code: CodeCheck | None = None,
    ) -> None:
        self.mistakes = mistakes
        self.catalogue = catalogue
        self.code = code
        self.warnings: tuple[str, ...] = ()
        self.formulas = Formulas(mistakes, trusted=trusted)
        self.trusted = trusted

    def compile(self, root: Node) -> Plan | None:
        """Return the plan; None, or one that must not be used, when mistakes were recorded."""
        if self._other_document(root):
            return None
        top = fit(root, WORKFLOW, "", self.mistakes)
        if top is None:
            return None
        contract = None if self.trusted else contract_of(top.part("inputs"), self.mistakes)
        signals = signal_contracts(top.part("signals"), self.mistakes, trusted=self.trusted)
        variables = self._variables(top.part("vars"))
        body, handlers, output = self._steps(top)
        triggers = self._triggers(top.part("triggers"), contract, signals)
        if self.mistakes.found:
            return None
        plan = self._plan(top, _ordered(body), handlers, variables=variables, output=output, triggers=triggers)
        return msgspec.structs.replace(plan, signals=signals) if signals else plan

    def _other_document(self, root: Node) -> bool:
        """Say whether the document is no workflow at all, which is then recorded."""
        if root.kind != "map":
            self.mistakes.add("", "TYPE_INVALID", "a document is a mapping", "begin with `workflow: NAME`", node=root)
            return True
        if is_trigger_document(root):
            message = "this document is a trigger of its own, and no workflow"
            suggestion = "`hostd trigger apply FILE` takes it"
            self.mistakes.add("trigger", "VALUE_INVALID", message, suggestion, mark=root.key_marks.get("trigger"))
            return True
        return False

    # -- pieces

    def _variables(self, part: Part | None) -> tuple[tuple[str, Any], ...]:
        if part is None:
            return ()
        return tuple((name, self.formulas.template(item, roots.VARS)) for name, item in part.value.items())

    def _steps(self, top: Part) -> tuple[list[StepDraft], list[StepDraft], Any]:
        reader = StepReader(self.formulas, self._defaults(top.part("defaults")), self.catalogue)
        steps = top.part("steps")
        ids = list(steps.node.value) if steps else []
        body = [reader.read(step_id, steps.part(step_id) if steps else None) for step_id in ids]
        index = {draft.id: position for position, draft in enumerate(body)}
        link_needs(body, index, self.mistakes)
        if not self.trusted:
            check_reads(body, index, self.formulas)
        first_read = len(self.formulas.reads)
        handlers = self._handlers(top.part("handlers"), reader)
        if self.code is not None:
            self.warnings = check_code(reader.code, self.code, self.mistakes)
        output = self.formulas.template(top.part("output"), roots.BODY)
        if steps is not None:
            check_known(tuple(self.formulas.reads[first_read:]), index, self.formulas)
        return body, handlers, output

    def _handlers(self, part: Part | None, reader: StepReader) -> list[StepDraft]:
        if part is None:
            return []
        return [reader.read(f"handlers.{name}", part.part(name), handler=name) for name in HANDLERS if part.part(name)]

    def _defaults(self, part: Part | None) -> Defaults:
        if part is None:
            return Defaults()
        retry = part.part("retry")
        if retry is not None and not self.trusted:
            check_retry(retry, self.mistakes)
        return Defaults(
            part,
            retry_plan(retry, self.formulas, roots.RUN | {"error"}),
            part.get("timeout", 0),
            part.get("executor", ""),
        )

    def _triggers(
        self, part: Part | None, contract: InputContract | None, signals: dict[str, InputContract]
    ) -> tuple[TriggerPlan, ...]:
        if part is None:
            return ()
        return tuple(
            trigger_plan(name, item, self.formulas, catalogue=self.catalogue, contract=contract, signals=signals)
            for name, item in part.value.items()
        )

    # -- the whole

    def _plan(
        self,
        top: Part,
        body: list[StepDraft],
        handlers: list[StepDraft],
        *,
        variables: tuple[tuple[str, Any], ...],
        output: Any,
        triggers: tuple[TriggerPlan, ...],
    ) -> Plan:
        document = canonical_json(value_of(top.node))
        after = dependents([draft.needs for draft in body])
        steps = [_step_plan(position, draft, tuple(after[position])) for position, draft in enumerate(body)]
        steps += [_step_plan(len(body) + at, draft, ()) for at, draft in enumerate(handlers)]
        inputs = top.part("inputs")
        permissions = tuple(item.value for item in top.get("permissions", []))
        return Plan(
            workflow=top.get("workflow"),
            version=top.get("version", ""),
            digest=document_digest(document),
            document=document,
            steps=tuple(steps),
            body_count=len(body),
            index={draft.id: position for position, draft in enumerate(body)},
            handlers={draft.handler: len(body) + at for at, draft in enumerate(handlers)},
            triggers=triggers,
            description=top.get("description", ""),
            labels={name: label.value for name, label in top.get("labels", {}).items()},
            inputs=value_of(inputs.node) if inputs else None,
            vars=variables,
            output=output,
            timeout_ms=top.get("timeout", 0),
            cleanup_timeout_ms=top.get("cleanup_timeout", 300_000),
            fail_fast=top.get("fail_fast", False),
            env_names=frozenset(self.formulas.env_names),
            secret_names=frozenset(self.formulas.secret_names),
            permissions=permissions,
            warnings=(*warnings_of(body), *unknown_capabilities(permissions), *self.warnings),
            retention_ms={name: item.value for name, item in top.get("retention", {}).items()},
        )


def _ordered(body: list[StepDraft]) -> list[StepDraft]:
    """Return the body in the one order that equal documents share, needs as positions in it."""
    places = order([draft.needs for draft in body], [draft.id for draft in body])
    new_place = {old: new for new, old in enumerate(places)}
    ordered = [body[old] for old in places]
    for draft in ordered:
        draft.needs = tuple(new_place[need] for need in draft.needs)
    return ordered


def _step_plan(position: int, draft: StepDraft, after: tuple[int, ...]) -> StepPlan:
    part = _sound(draft.part)
    is_action = draft.kind == 0
    uses_status: frozenset[str] = draft.condition.uses_status if draft.condition is not None else frozenset()
    return StepPlan(
        index=position,
        id=draft.id,
        uses=draft.uses,
        kind=draft.kind,
        options=draft.options,
        needs=draft.needs,
        dependents=after,
        condition=draft.condition,
        after_cancel=bool(uses_status & {"always", "canceled"}),
        retry=draft.retry,
        timeout_ms=draft.timeout_ms,
        deadline_ms=part.get("deadline", 0) if is_action else 0,
        continue_on_error=part.get("on_error") == "continue",
        handler=draft.handler,
        name=part.get("name", ""),
        description=part.get("description", ""),
        line=part.node.line,
    )
