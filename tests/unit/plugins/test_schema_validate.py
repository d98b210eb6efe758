"""`schema.validate`: all faults with their paths, and nothing fetched."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.plugin import ActionError
from hostd.plugin.testing import run_action
from hostd_builtin.schema.validate import Validate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "odd key": {"type": "string", "format": "email"},
    },
    "$defs": {"line": {"properties": {"price": {"minimum": 0}}}},
}


async def test_every_fault_is_told_with_its_path() -> None:
    """The output lists all faults; a value without any goes through."""
    value = {"lines": [{"price": 1}, {"price": -1}], "odd key": "x"}
    found: Any = await run_action(Validate, {"value": value, "schema": SCHEMA, "on_fault": "output"})
    assert not found["valid"] and found["value"] == value
    assert {fault["path"] for fault in found["faults"]} == {"", "lines[1].price", '["odd key"]'}
    found = await run_action(Validate, {"value": {"id": 1}, "schema": SCHEMA})
    assert found == {"valid": True, "value": {"id": 1}, "faults": []}


async def test_faults_fail_the_step() -> None:
    """Without on_fault the step fails with the faults in its details, up to a hundred."""
    with pytest.raises(ActionError) as caught:
        await run_action(Validate, {"value": ["x"] * 500, "schema": {"items": {"type": "integer"}}})
    assert caught.value.code == "VALUE_INVALID" and not caught.value.retryable
    assert caught.value.details["count"] == 100


@pytest.mark.parametrize("ref", ["http://127.0.0.1:1/x.json", "file:///etc/passwd", "other.json"])
async def test_nothing_outside_is_fetched(ref: str) -> None:
    """A reference that leads out of the schema is a mistake in it, whatever it leads to."""
    with pytest.raises(ActionError) as caught:
        await run_action(Validate, {"value": 1, "schema": {"$ref": ref}})
    assert caught.value.code == "SCHEMA_INVALID" and "root:" not in caught.value.message


async def test_wrong_schemas_are_told() -> None:
    """A schema that is none fails with its own code; patterns cannot take exponential time."""
    with pytest.raises(ActionError, match="is not") as caught:
        await run_action(Validate, {"value": 1, "schema": {"type": "nothing"}})
    assert caught.value.code == "SCHEMA_INVALID"
    found: Any = await run_action(
        Validate, {"value": "a" * 50_000 + "!", "schema": {"pattern": "^(a+)+$"}, "on_fault": "output"}
    )
    assert not found["valid"]
