"""Documents with `trigger: name`: a trigger of its own, which starts runs of the workflow that `target` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hostd.definition.document import Document, document_digest
from hostd.definition.fit import fit
from hostd.definition.formulas import Formulas
from hostd.definition.grammar import TRIGGER_DOCUMENT, TRIGGER_DOCUMENT_KEY
from hostd.definition.inputs import InputContract
from hostd.definition.mistakes import Mistakes
from hostd.definition.nodes import Node, node_from_value, value_of
from hostd.definition.plan import TriggerPlan
from hostd.definition.ports import Catalogue
from hostd.definition.triggers import trigger_plan
from hostd.errors.base import invariant
from hostd.values.json_text import canonical_json, parse_json

ACTIVE = "active"


class OwnTrigger(msgspec.Struct, frozen=True, gc=False):
    """A compiled trigger document. `version` is empty where the target is the active version."""

    workflow: str  # that it starts
    version: str
    plan: TriggerPlan
    digest: bytes  # blake2b-256 of the canonical form
    document: bytes  # canonical JSON of the parsed document
    description: str = ""

    @property
    def target(self) -> str:
        """Return what it starts, as documents say it."""
        return f"{self.workflow}@{self.version or ACTIVE}"


def is_trigger_document(root: Node) -> bool:
    """Say whether a document is a trigger of its own."""
    return root.kind == "map" and TRIGGER_DOCUMENT_KEY in root.value and "workflow" not in root.value


def compile_trigger_document(
    document: Document,
    *,
    catalogue: Catalogue | None = None,
    inputs: Any = None,
    signals: Mapping[str, InputContract] | None = None,
) -> OwnTrigger:
    """Return the trigger of a document.

    Args:
        catalogue: the loaded components; without one, the trigger and its options are not checked.
        inputs: JSON Schema of the target's input, where it is known: a literal input is checked against it.
        signals: what checks the target's signals, where they are known.

    Raises:
        HostdError: DOCUMENT_INVALID with every mistake as a violation.
    """
    mistakes = Mistakes(document.file)
    mistakes.found.extend(document.faults)
    contract = InputContract(inputs) if inputs is not None else None
    read = _compile(document.root, mistakes, catalogue=catalogue, contract=contract, signals=signals)
    mistakes.raise_any()
    invariant(read is not None, "a trigger document without mistakes has no plan")
    stored = trigger_from_stored(read.document)  # type: ignore[union-attr]
    line = document.root.line
    return msgspec.structs.replace(stored, plan=msgspec.structs.replace(stored.plan, line=line))


def trigger_from_stored(document: bytes) -> OwnTrigger:
    """Return the trigger of a document that was taken, from its stored JSON; nothing is checked again."""
    mistakes = Mistakes()
    found = _compile(node_from_value(parse_json(document)), mistakes, catalogue=None, contract=None, trusted=True)
    mistakes.raise_any()
    invariant(found is not None, "a stored trigger document has no plan")
    return found  # type: ignore[return-value]


def _compile(
    root: Node,
    mistakes: Mistakes,
    *,
    catalogue: Catalogue | None,
    contract: InputContract | None,
    signals: Mapping[str, InputContract] | None = None,
    trusted: bool = False,
) -> OwnTrigger | None:
    if not is_trigger_document(root):
        message = "this is no trigger document"
        mistakes.add("", "KEY_MISSING", message, "begin with `trigger: NAME` and `target: WORKFLOW@active`", node=root)
        return None
    top = fit(root, TRIGGER_DOCUMENT, "", mistakes)
    if top is None:
        return None
    formulas = Formulas(mistakes, trusted=trusted)
    name = top.get("trigger", "")
    plan = trigger_plan(name, top, formulas, catalogue=catalogue, contract=contract, signals=signals)
    if mistakes.found:
        return None
    workflow, _, version = top.get("target").partition("@")
    document = canonical_json(value_of(root))
    return OwnTrigger(
        workflow=workflow,
        version="" if version == ACTIVE else version,
        plan=plan,
        digest=document_digest(document),
        document=document,
        description=top.get("description", ""),
    )
