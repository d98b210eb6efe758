"""Schemas that a document writes out, `inputs` and `signals`: faults at their places, and what checks values later."""

from __future__ import annotations

from hostd.definition.fit import Part
from hostd.definition.inputs import InputContract, schema_faults
from hostd.definition.mistakes import Mistakes, child_path
from hostd.definition.nodes import value_of
from hostd.errors.base import HostdError


def contract_of(part: Part | None, mistakes: Mistakes) -> InputContract | None:
    """Return what checks values against a schema, None where there is none or it is faulty."""
    if part is None:
        return None
    schema = value_of(part.node)
    faults = schema_faults(schema)
    for where, message in faults:
        node, path = part.node, part.path
        for step in where:
            path = child_path(path, step)
            below = node.value.get(step) if node.kind == "map" else None
            if node.kind == "list" and isinstance(step, int) and step < len(node.value):
                below = node.value[step]
            node = below or node
        mistakes.add(path, "SCHEMA_INVALID", message, node=node)
    return None if faults else InputContract(schema)


def signal_contracts(part: Part | None, mistakes: Mistakes, *, trusted: bool) -> dict[str, InputContract]:
    """Return what checks each signal's data, by name; a faulty schema is a mistake.

    Args:
        trusted: the schemas were found good when the document was registered.
    """
    if part is None:
        return {}
    if trusted:
        return {name: InputContract(value_of(item.node)) for name, item in part.value.items()}
    return {name: contract_of(item, mistakes) or InputContract(None) for name, item in part.value.items()}


def check_literal(given: Part, contract: InputContract, see: str, mistakes: Mistakes) -> None:
    """Record what is wrong with a literal value: every event would be refused for it."""
    try:
        contract.accept(value_of(given.node))
    except HostdError as error:
        for fault in error.violations:
            path = child_path(given.path, fault.path) if fault.path and not fault.path.startswith("[") else given.path
            mistakes.add(path, fault.reason, fault.message, see, node=given.node)
