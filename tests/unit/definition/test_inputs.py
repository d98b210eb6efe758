"""The input contract: defaults, faults at the door, schemas that cannot harm."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.definition.defaults import apply_defaults
from hostd.definition.inputs import InputContract, schema_faults
from hostd.errors.base import HostdError

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "coin": {"type": "string", "default": "btc"},
        "limits": {
            "type": "object",
            "default": {},
            "properties": {"low": {"type": "number", "default": 1}, "high": {"type": "number"}},
        },
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "$defs": {
        "line": {"type": "object", "properties": {"count": {"type": "integer", "default": 1}}, "required": ["sku"]}
    },
}
CHAIN = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)} | {"d40": {}}


def test_defaults_are_filled_in_at_every_depth() -> None:
    """Properties, defaults of defaults, items of lists and references get their defaults; the input is not touched."""
    given = {"lines": [{"sku": "a"}, {"sku": "b", "count": 3}]}
    assert InputContract(ORDER).accept(given) == {
        "coin": "btc",
        "limits": {"low": 1},
        "lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 3}],
    }
    assert given == {"lines": [{"sku": "a"}, {"sku": "b", "count": 3}]}


def test_a_default_is_a_copy() -> None:
    """Two runs never share a default's value."""
    first, second = apply_defaults(ORDER, {}), apply_defaults(ORDER, {})
    assert first["limits"] is not second["limits"]
    assert ORDER["properties"]["limits"]["default"] == {}


def test_faults_name_their_fields() -> None:
    """INPUT_INVALID lists every faulty field by its path."""
    with pytest.raises(HostdError) as caught:
        InputContract(ORDER).accept({"coin": 5, "lines": [{"count": "x"}]})
    assert caught.value.reason == "INPUT_INVALID"
    assert {fault.path for fault in caught.value.violations} == {"coin", "lines[0].count", "lines[0]"}


def test_no_schema_takes_anything() -> None:
    """A workflow without `inputs` takes any JSON value."""
    assert InputContract(None).accept([1, None]) == [1, None]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objct"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/none"},
        {"$schema": "http://example.test/dialect"},
        {"pattern": "(?=a)b"},
        {"pattern": "((((a{100}){100}){100}){100})"},
        {"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n", "default": {}}}}}},
        {
            "$ref": "#/$defs/n",
            "$defs": {"n": {"properties": {name: {"$ref": "#/$defs/n", "default": {}} for name in "ab"}}},
        },
        {"$ref": "#/$defs/d0", "$defs": CHAIN},
    ],
)
def test_schemas_that_cannot_be_kept_are_refused(schema: dict[str, Any]) -> None:
    """Wrong words, schemas elsewhere, runaway patterns and defaults without end are faults at registration."""
    assert schema_faults(schema)


def test_a_schema_that_refers_to_itself_is_fine() -> None:
    """Recursive data has recursive schemas."""
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"default": 0}}}
    assert schema_faults(tree) == []
    assert InputContract(tree).accept({"next": {"next": {}}}) == {"next": {"next": {"n": 0}, "n": 0}, "n": 0}


def test_filling_visits_each_value_once() -> None:
    """A schema that leads to itself twice does not double the work at every level of the value."""
    twice = {"allOf": [{"properties": {"n": {"$ref": "#"}}}, {"properties": {"n": {"$ref": "#"}, "x": {"default": 1}}}]}
    value: Any = {}
    for _ in range(60):
        value = {"n": value}
    assert apply_defaults(twice, value)["n"]["n"]["x"] == 1
