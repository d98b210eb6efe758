"""A workflow's `inputs`: a JSON Schema, checked at registration, that gives defaults and refuses faults at the door."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from hostd.definition.defaults import apply_defaults, check_cost
from hostd.definition.mistakes import child_path, nearest, shown
from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazily("jsonschema_rs")

_MAX_FAULTS = 100
_PATTERN_BYTES_MAX = 1_000_000


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
        if self._validator.is_valid(value):
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
        patterns = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES_MAX, dfa_size_limit=_PATTERN_BYTES_MAX)
        return jsonschema_rs.validator_for(
            schema, retriever=_refuse_remote, pattern_options=patterns, validate_formats=True
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
        found = [_schema_fault(error) for error in _meta().iter_errors(schema)]
        if found:
            return found
    try:
        check_cost(schema)
        InputContract(schema)
        apply_defaults(schema, {})
    except HostdError as error:
        return [([], error.message)]
    return []


def _schema_fault(error: Any) -> tuple[list[str | int], str]:
    where = list(error.instance_path)
    if where and where[-1] == "type":
        word = str(error.instance)
        meant = _MEANT.get(word.lower()) or nearest(word, _TYPES)
        hint = f"; did you mean {meant}?" if meant else ""
        return where, f"{shown(error.instance)} is no type; there are {', '.join(_TYPES)}{hint}"
    if where and where[-1] == "required" and isinstance(error.instance, bool):
        name = where[-2] if where[-3:-2] == ["properties"] else "NAME"
        return where, f"`required` is a list that stands beside `properties`: write required: [{shown(name)}] there"
    return where, shown_message(error)


_MEANT = {
    "int": "integer", "long": "integer", "str": "string", "text": "string", "bool": "boolean", "float": "number",
    "double": "number", "list": "array", "dict": "object", "map": "object", "mapping": "object", "none": "null",
}  # fmt: skip
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


@functools.cache
def _meta() -> Any:
    """Return the validator of schemas."""
    return jsonschema_rs.validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"})


def _without_fetching(error: Exception) -> str:
    message = shown_message(error) if isinstance(error, jsonschema_rs.ValidationError) else shown(str(error))
    elsewhere = _ELSEWHERE.search(message)
    return f"{shown(elsewhere[1])} is not fetched; write the schema out, under $defs" if elsewhere else message


_ELSEWHERE = re.compile(r"Resource '([^']*)' is not present")
