"""A workflow's `inputs`: a JSON Schema, checked at registration, that gives defaults and refuses faults at the door."""

from __future__ import annotations

import copy
import re
from typing import Any

import jsonschema_rs

from hostd.definition.mistakes import child_path, shown
from hostd.errors.base import HostdError, Kind, Violation, invalid

_MAX_FAULTS = 100
_MAX_DEFAULT_DEPTH = 64
_MAX_DEFAULTS = 10_000
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)


class InputContract:
    """A compiled `inputs` schema: keep one per plan.

    Patterns run in linear time; nothing outside the document is ever fetched.
    """

    def __init__(self, schema: Any) -> None:
        """Compile a schema (a dict, true or false; None takes anything).

        Raises:
            HostdError: SCHEMA_INVALID.
        """
        self.schema = schema
        self._validator = None if schema is None else _validator(schema)

    def accept(self, value: Any) -> Any:
        """Return a run's input with defaults filled in.

        Raises:
            HostdError: INPUT_INVALID with the path of each faulty field.
        """
        if self._validator is None:
            return value
        filled = apply_defaults(self.schema, value)
        faults = self.faults(filled)
        if not faults:
            return filled
        more = "" if len(faults) == 1 else f" (and {len(faults) - 1} more)"
        first = f"{faults[0].path}: " if faults[0].path else ""
        raise invalid("INPUT_INVALID", f"{first}{faults[0].message}{more}", violations=tuple(faults))

    def faults(self, value: Any) -> list[Violation]:
        """Return what is wrong with a value, as it is."""
        found: list[Violation] = []
        if self._validator is None:
            return found
        for error in self._validator.iter_errors(value):
            found.append(Violation(_path_of(error.instance_path), "INPUT_INVALID", shown_message(error)))
            if len(found) >= _MAX_FAULTS:
                break
        return found


def shown_message(error: Any) -> str:
    """Return a validator's message for a person, cut to a sane length."""
    text = " ".join(str(error.message).split())
    return text if len(text) <= 300 else text[:297] + "..."


def _path_of(parts: list[Any]) -> str:
    path = ""
    for part in parts:
        path = child_path(path, part)
    return path


def _refuse_remote(uri: str) -> Any:
    raise ValueError(uri)


def _validator(schema: Any) -> Any:
    if not isinstance(schema, dict | bool):
        raise HostdError(Kind.INVALID, "SCHEMA_INVALID", "a JSON Schema is a mapping")
    try:
        return jsonschema_rs.validator_for(
            schema, retriever=_refuse_remote, pattern_options=_PATTERNS, validate_formats=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        where = _path_of(getattr(error, "instance_path", []))
        message = _without_fetching(error)
        raise HostdError(
            Kind.INVALID,
            "SCHEMA_INVALID",
            f"{where}: {message}" if where else message,
            violations=(Violation(where, "SCHEMA_INVALID", message),),
        ) from None


def schema_faults(schema: Any) -> list[tuple[list[str | int], str]]:
    """Return everything wrong with a schema as (path parts, message)."""
    if isinstance(schema, dict) and "$schema" not in schema:
        found = [_schema_fault(error) for error in _META.iter_errors(schema)]
        if found:
            return found
    try:
        InputContract(schema)
        apply_defaults(schema, {})
    except HostdError as error:
        return [([], error.message)]
    return []


def _schema_fault(error: Any) -> tuple[list[str | int], str]:
    where = list(error.instance_path)
    if where and where[-1] == "type":
        return where, f"{shown(error.instance)} is no type; there are {', '.join(_TYPES)}"
    return where, shown_message(error)


_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_META = jsonschema_rs.validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"})


def _without_fetching(error: Exception) -> str:
    message = shown_message(error) if isinstance(error, jsonschema_rs.ValidationError) else shown(str(error))
    elsewhere = _ELSEWHERE.search(message)
    return f"{shown(elsewhere[1])} is not fetched; write the schema out, under $defs" if elsewhere else message


_ELSEWHERE = re.compile(r"Resource '([^']*)' is not present")


def apply_defaults(schema: Any, value: Any) -> Any:
    """Return a value with the `default`s of absent object properties filled in, at every depth; nothing is changed.

    `properties`, `items`, `allOf` and `$ref` to `#/...` are followed; a property that is absent and has no default is
    not made up.

    Raises:
        HostdError: SCHEMA_INVALID when the defaults hold defaults without end.
    """
    return _Filling(schema).fill(schema, value, 0)


class _Filling:
    """One pass of filling defaults in, with a bound on its work."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.made = 0

    def fill(self, schema: Any, value: Any, depth: int) -> Any:
        """Return the value with defaults of the schema, this deep below the whole."""
        schema = _resolved(schema, self.root)
        if not isinstance(schema, dict):
            return value
        if depth > _MAX_DEFAULT_DEPTH:
            raise _endless()
        for part in schema["allOf"] if isinstance(schema.get("allOf"), list) else ():
            value = self.fill(part, value, depth + 1)
        if isinstance(value, dict):
            return self._fill_object(schema, value, depth)
        items = schema.get("items")
        if isinstance(value, list) and isinstance(items, dict):
            return [self.fill(items, item, depth + 1) for item in value]
        return value

    def _fill_object(self, schema: dict[str, Any], value: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return value
        filled = dict(value)
        for name, below in properties.items():
            if name not in filled:
                target = _resolved(below, self.root)
                if not isinstance(target, dict) or "default" not in target:
                    continue
                filled[name] = self._default(target)
            filled[name] = self.fill(below, filled[name], depth + 1)
        return filled

    def _default(self, schema: dict[str, Any]) -> Any:
        self.made += 1
        if self.made > _MAX_DEFAULTS:
            raise _endless()
        return copy.deepcopy(schema["default"])


def _endless() -> HostdError:
    return HostdError(Kind.INVALID, "SCHEMA_INVALID", "the defaults of `inputs` hold defaults without end")


def _resolved(schema: Any, root: Any) -> Any:
    """Follow `$ref: "#/..."`; a schema beside the reference wins where it has a default of its own."""
    for _ in range(16):
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        target = _at(root, reference[1:])
        if not isinstance(target, dict):
            return schema
        beside = {key: item for key, item in schema.items() if key != "$ref"}
        schema = {**target, **beside}
    return schema


def _at(root: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        root = root.get(key) if isinstance(root, dict) else None
    return root
