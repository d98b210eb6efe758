"""Filling a JSON Schema's `default`s into a value, and what a schema may cost."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hostd.errors.base import HostdError, Kind

_MAX_DEPTH = 64
_MAX_DEFAULTS = 10_000
_MAX_WAYS = 10_000

_Schema = dict[str, Any]


def apply_defaults(schema: Any, value: Any) -> Any:
    """Return a value with the `default`s of absent object properties filled in, at every depth; nothing is changed.

    `properties`, `items`, `allOf` and `$ref` to `#/...` are followed; a property that is absent and has no default is
    not made up. Where several schemas give a default, the outermost holds. Each part of the value is visited once.

    Raises:
        HostdError: SCHEMA_INVALID when the defaults hold defaults without end.
    """
    return _Filling(schema).fill([schema], value, 0)


class _Filling:
    """One pass of filling defaults in, with a bound on its work."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.made = 0

    def fill(self, schemas: list[Any], value: Any, depth: int) -> Any:
        """Return the value with the defaults of all schemas that hold for it, this deep below the whole."""
        if not isinstance(value, dict | list):
            return value
        if depth > _MAX_DEPTH:
            raise _endless()
        closed = _closure(schemas, self.root)
        if isinstance(value, dict):
            return self._fill_object(closed, value, depth)
        items = [schema["items"] for schema in closed if isinstance(schema.get("items"), dict)]
        return [self.fill(items, item, depth + 1) for item in value] if items else value

    def _fill_object(self, schemas: list[_Schema], value: dict[str, Any], depth: int) -> dict[str, Any]:
        below: dict[str, list[Any]] = {}
        for schema in schemas:
            properties = schema.get("properties")
            for name, inner in properties.items() if isinstance(properties, dict) else ():
                below.setdefault(name, []).append(inner)
        filled = dict(value)
        for name, inners in below.items():
            if name not in filled and not self._add_default(filled, name, inners):
                continue
            filled[name] = self.fill(inners, filled[name], depth + 1)
        return filled

    def _add_default(self, filled: dict[str, Any], name: str, schemas: list[Any]) -> bool:
        for schema in _closure(schemas, self.root):
            if "default" in schema:
                self.made += 1
                if self.made > _MAX_DEFAULTS:
                    raise _endless()
                filled[name] = copy.deepcopy(schema["default"])
                return True
        return False


def _endless() -> HostdError:
    return HostdError(Kind.INVALID, "SCHEMA_INVALID", "the defaults of `inputs` hold defaults without end")


def _closure(schemas: list[Any], root: Any) -> list[_Schema]:
    """Return the schemas that hold for the same value: these and what `$ref` and `allOf` lead to, each once."""
    seen: set[int] = set()
    found: list[_Schema] = []
    stack = list(reversed(schemas))
    while stack:
        schema = stack.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        found.append(schema)
        stack += [*reversed(_list(schema, "allOf")), *_referred(schema, root)]
    return found


def _list(schema: _Schema, key: str) -> list[Any]:
    inner = schema.get(key)
    return inner if isinstance(inner, list) else []


def _referred(schema: _Schema, root: Any) -> Iterator[Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return
    target = root
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict):
            target = target.get(key)
        elif isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            return
    yield target


def check_cost(schema: Any) -> None:
    """Refuse a schema that looks at one value in too many ways: `allOf`, `anyOf` and `$ref` multiply.

    Raises:
        HostdError: SCHEMA_INVALID.
    """
    ways: dict[int, int] = {}
    for inner in _subschemas(schema):
        if _ways(inner, schema, ways, 0) > _MAX_WAYS:
            raise HostdError(
                Kind.INVALID, "SCHEMA_INVALID", f"the schema combines more than {_MAX_WAYS} schemas for one value"
            )


def _ways(schema: Any, root: Any, ways: dict[int, int], depth: int) -> int:
    """Return how many schemas are looked at for one value; a schema that leads back to itself counts once."""
    if not isinstance(schema, dict) or depth > 4 * _MAX_DEPTH:
        return 1
    known = ways.get(id(schema))
    if known is not None:
        return known
    ways[id(schema)] = 1
    inner = [*_list(schema, "allOf"), *_list(schema, "anyOf"), *_list(schema, "oneOf"), *_referred(schema, root)]
    inner += [schema[key] for key in ("not", "if", "then", "else") if key in schema]
    total = 1 + sum(_ways(item, root, ways, depth + 1) for item in inner)
    ways[id(schema)] = min(total, _MAX_WAYS + 1)
    return ways[id(schema)]


def _subschemas(schema: Any) -> Iterator[Any]:
    stack = [schema]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            yield current
            stack += current.values()
        elif isinstance(current, list):
            stack += current
