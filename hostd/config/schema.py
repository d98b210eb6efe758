"""The JSON Schema of `hostd.yaml`, for editors: what a person may write, before variables are replaced."""

from __future__ import annotations

import typing
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hostd.config.layers import plain_type
from hostd.config.reference import default_text, is_room
from hostd.config.rooms import Config, is_live
from hostd.config.types import format_size_bytes

SCHEMA_ID = "urn:hostd:schema:config"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"
_SIZE = r"^[0-9]+(\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB)?$"
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
_WORDS = {bool: "boolean", int: "integer", float: "number"}
Json = dict[str, Any]


def config_schema() -> Json:
    """Return the schema."""
    return {"$schema": _DIALECT, "$id": SCHEMA_ID, "title": "hostd configuration", **_room(Config)}


def _room(model: type[BaseModel]) -> Json:
    properties = {name: _field(field) for name, field in model.model_fields.items()}
    kind = ["object", "null"]  # a room whose lines are all comments
    return {
        "type": "object" if model is Config else kind,
        "description": model.__doc__ or "",
        "properties": properties,
        "additionalProperties": False,
    }


def _field(field: FieldInfo) -> Json:
    if is_room(field):
        return _room(typing.cast("type[BaseModel]", field.annotation))
    effect = "A reload changes it." if is_live(field) else "A change needs a restart."
    default = default_text(field)
    described = {"description": f"{field.description} {effect}" + (f" Default: {default}." if default else "")}
    return described | _written(field)


def _written(field: FieldInfo) -> Json:
    """Return what a value looks like; a variable may stand for anything that is not text already."""
    kind = plain_type(field.annotation)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return {"type": ["array", "null"], "items": {"type": "string"}}
    if origin is dict:
        return {"type": ["object", "null"], "additionalProperties": {"type": ["object", "null"]}}
    if origin is typing.Literal:
        none = [None] if field.default is None else []
        return {"anyOf": [{"enum": [*typing.get_args(kind), *none]}, _VARIABLE]}
    if kind is timedelta:
        return {"anyOf": [{"type": "string", "pattern": _DURATION}, _VARIABLE]}
    if any(getattr(mark, "func", None) is format_size_bytes for mark in field.metadata):
        return {"anyOf": [{"type": "string", "pattern": _SIZE}, {"type": "integer"}, _VARIABLE]}
    if kind in _WORDS:
        return {"anyOf": [{"type": _WORDS[kind], **_bounds(field)}, _VARIABLE]}
    return {"type": ["string", "null"]}


def _bounds(field: FieldInfo) -> Json:
    low = [mark.ge for mark in field.metadata if hasattr(mark, "ge")]
    high = [mark.le for mark in field.metadata if hasattr(mark, "le")]
    return {**({"minimum": max(low)} if low else {}), **({"maximum": min(high)} if high else {})}
