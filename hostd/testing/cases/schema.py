"""JSON Schema of case files for editors, from the tables that check them."""

from __future__ import annotations

from typing import Any

from hostd.definition.schema import schema_of
from hostd.definition.shapes import Shape
from hostd.testing.cases.grammar import ANSWER, CASE, CASE_FILE, CASES_MAX, MEANWHILE, STEP_EXPECTED, STEP_STATES

SCHEMA_ID = "urn:hostd:schema:tests"


def cases_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a case file."""
    schema = schema_of(CASE_FILE, SCHEMA_ID, "hostd workflow test")
    defs = schema["$defs"]
    for shape in (CASE, MEANWHILE, STEP_EXPECTED, ANSWER):
        _define(defs, shape)
    schema["properties"]["cases"] |= {"type": "array", "minItems": 1, "maxItems": CASES_MAX, "items": _ref(CASE)}
    defs["case"]["properties"]["at"] |= {"type": "array", "items": _ref(MEANWHILE)}
    defs["mock"]["properties"]["script"] = {**_bare(defs["mock"]["properties"]["script"]), "type": "array",
                                            "minItems": 1, "items": _ref(ANSWER)}  # fmt: skip
    steps = defs["expect"]["properties"]["steps"]
    steps["additionalProperties"] = {"anyOf": [{"enum": list(STEP_STATES)}, _ref(STEP_EXPECTED)]}
    calls = defs["expect"]["properties"]["calls"]
    calls["additionalProperties"] = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "array"}]}
    for place in (schema["properties"]["cases"], defs["case"]["properties"]["at"]):
        place.pop("anyOf", None)
    return schema


def _define(defs: dict[str, Any], shape: Shape) -> None:
    body = schema_of(shape, "", shape.title)
    for name, each in body.pop("$defs").items():
        defs.setdefault(name, each)
    defs.setdefault(shape.title, {key: body[key] for key in body if key not in ("$schema", "$id", "title")})


def _ref(shape: Shape) -> dict[str, str]:
    return {"$ref": f"#/$defs/{shape.title}"}


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "anyOf"}
