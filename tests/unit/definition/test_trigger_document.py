"""Documents that are triggers of their own: read, kept, checked beside workflows."""

from __future__ import annotations

from hostd.definition.compile import compile_text, validate_text
from hostd.definition.document import load_documents
from hostd.definition.trigger_document import OwnTrigger, compile_trigger_document, trigger_from_stored

OWN = "trigger: hourly\ntarget: order@active\nuses: x.y\nif: event.data.n > 1\ninput: {n: '${{ event.data.n }}'}\n"
ORDER = (
    "workflow: order\nversion: 1.0.0\ninputs: {type: object, properties: {n: {type: integer}}}\n"
    "steps: {a: {uses: flow.pass}}\n"
)


def read(text: str) -> OwnTrigger:
    """Return the trigger of a document."""
    [document] = load_documents(text)
    return compile_trigger_document(document)


def test_the_stored_form_is_the_same_trigger() -> None:
    """Equal documents have one digest, whatever their text; what is stored loads without a catalogue."""
    own = read(OWN)
    kept = trigger_from_stored(own.document)
    swapped = read("# note\n" + "".join(reversed(OWN.splitlines(keepends=True))))
    assert (own.plan.name, own.target, own.workflow, own.version) == ("hourly", "order@active", "order", "")
    assert kept.digest == own.digest == swapped.digest
    assert kept.plan.condition.source == own.plan.condition.source
    assert read(OWN.replace("@active", "@1.2.0")).target == "order@1.2.0"


def test_one_text_holds_both_kinds_and_all_their_mistakes() -> None:
    """Workflows compile, triggers are checked beside them, a literal input against the target in the same text."""
    assert [plan.workflow for plan in compile_text(f"{OWN}---\n{ORDER}")] == ["order"]
    wrong = OWN.replace("'${{ event.data.n }}'", "x")
    faults = validate_text(f"{wrong}---\n{ORDER}---\ntrigger: Two\ntarget: order\nuses: x.y\nsteps: {{}}\n")
    assert [(fault.line, fault.path, fault.reason) for fault in faults] == [
        (5, "input.n", "INPUT_INVALID"),
        (12, "trigger", "NAME_INVALID"),
        (13, "target", "VALUE_INVALID"),
        (15, "steps", "KEY_UNKNOWN"),
    ]
    assert faults[2].suggestion == "write order@active"
