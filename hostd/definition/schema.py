"""JSON Schema of workflow documents for editors, made from the tables that check them, without words not built yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.definition.grammar import ENGINE_STEPS, TRIGGER_DOCUMENT, WORKFLOW
from hostd.definition.shapes import (
    Anything,
    Choice,
    Condition,
    Flag,
    JsonSchema,
    Many,
    Named,
    Number,
    OneOf,
    Options,
    Period,
    Shape,
    Text,
)

SCHEMA_ID = "urn:hostd:schema:workflow"
TRIGGER_SCHEMA_ID = "urn:hostd:schema:trigger"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"
_TEMPLATE = {"type": "string", "pattern": r"\$\{\{"}
_TYPES = {"map": "object", "list": "array", "text": "string", "number": "number", "flag": "boolean"}

_Json = dict[str, Any]


def workflow_schema() -> _Json:
    """Return the JSON Schema (2020-12) of a workflow document.

    It knows types, keys and words; what stands between keys (needs, expressions, options of plugins) only `hostd
    validate` checks.
    """
    return schema_of(WORKFLOW, SCHEMA_ID, "hostd workflow")


def trigger_schema() -> _Json:
    """Return the JSON Schema (2020-12) of a document that is a trigger of its own."""
    return schema_of(TRIGGER_DOCUMENT, TRIGGER_SCHEMA_ID, "hostd trigger")


def schema_of(shape: Shape, schema_id: str, title: str) -> _Json:
    """Return the JSON Schema (2020-12) of a document that has a shape."""
    writer = _Writer()
    body = writer.shape(shape)
    return {"$schema": _DIALECT, "$id": schema_id, "title": title, **body, "$defs": writer.defs}


class _Writer:
    """Collects the shapes that are used more than once under `$defs`."""

    def __init__(self) -> None:
        self.defs: dict[str, _Json] = {}

    def of(self, spec: Any) -> _Json:
        """Return the schema of any spec."""
        if isinstance(spec, Shape):
            return self._reference(spec)
        if isinstance(spec, Named):
            return self._named(spec)
        if isinstance(spec, Many):
            return self._many(spec)
        return _SIMPLE[type(spec)](spec)

    def shape(self, spec: Shape) -> _Json:
        """Return the schema of a mapping with known keys."""
        known = {name: key for name, key in spec.keys.items() if not key.refused}
        properties = {name: {"description": key.doc, **self.of(key.spec)} for name, key in known.items()}
        schema: _Json = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [name for name, key in known.items() if key.required]
        if required:
            schema["required"] = required
        if spec.title in ("step", "handler"):
            schema["allOf"] = [self._engine_step(name, options) for name, options in ENGINE_STEPS.items()]
        return schema

    def _engine_step(self, name: str, options: Shape) -> _Json:
        uses = {"properties": {"uses": {"const": name}}, "required": ["uses"]}
        return {"if": uses, "then": {"properties": {"with": self.of(options)}}}

    def _reference(self, spec: Shape) -> _Json:
        if spec.title not in self.defs:
            self.defs[spec.title] = {}
            self.defs[spec.title] = self.shape(spec)
        return {"$ref": f"#/$defs/{spec.title}"}

    def _named(self, spec: Named) -> _Json:
        return {
            "type": "object",
            "propertyNames": {"pattern": _whole(spec.name.pattern)},
            "additionalProperties": self.of(spec.item),
            "minProperties": spec.least,
            "maxProperties": spec.most,
        }

    def _many(self, spec: Many) -> _Json:
        item = self.of(spec.item)
        items: _Json = {"type": "array", "items": item, "maxItems": spec.most}
        return {"anyOf": [item, items]} if spec.or_one else items


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _text(spec: Text) -> _Json:
    schema: _Json = {"type": ["string", "number", "boolean"], "maxLength": spec.max_chars}
    if spec.pattern:
        schema = {"type": "string", "pattern": _whole(spec.pattern)}
    return schema


def _number(spec: Number) -> _Json:
    return {"type": "integer" if spec.whole else "number", "minimum": spec.least, "maximum": spec.most}


def _anything(spec: Anything) -> _Json:
    if not spec.kinds:
        return {}
    return {"anyOf": [{"type": [_TYPES[kind] for kind in spec.kinds]}, dict(_TEMPLATE)]}


def _mapping(_: Options) -> _Json:
    return {"type": "object"}


def _json_schema(_: JsonSchema) -> _Json:
    return {"$ref": _DIALECT}


_SIMPLE: dict[type, Callable[[Any], _Json]] = {
    Text: _text,
    Period: lambda _: {"type": "string", "pattern": _DURATION},
    Flag: lambda _: {"type": "boolean"},
    Number: _number,
    Choice: lambda spec: {"enum": list(spec.words)},
    Condition: lambda _: {"type": ["string", "boolean"]},
    Anything: _anything,
    Options: _mapping,
    JsonSchema: _json_schema,
    OneOf: lambda spec: _text(spec.text),
}
