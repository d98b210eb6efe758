"""Paths of keys through a JSON Schema, such as `steps.fetch.retry.jitter`: what stands there, and what is near."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]
_DEEPEST = 12
_INDEX = re.compile(r"\[\w*\]")
# Schemas say by patterns what a text holds: how those of definition/schema.py and config/schema.py end, and the word.
_TEXTS = {r"(ms|s|m|h|d|w))+$": "duration", r"|TiB)?$": "size", r"\$\{\{": "expression"}
_VARIABLE = r"\$\{"  # in the configuration one may stand for anything
NEAR_MAX = 3


class Walk(NamedTuple):
    """How far keys led. `node` is what the first `taken` keys lead to; `open` where anything may stand below it."""

    node: Json
    taken: int
    open: bool = False


def keys_of(path: str) -> list[str]:
    """Return the keys of a path; places in lists, such as `[0]`, are left out."""
    return [key for key in _INDEX.sub("", path).split(".") if key]


class SchemaPaths:
    """Finds nodes of one schema. In a map by names, such as `steps`, the name may be left out.

    Args:
        later: keys that are known but refused, with their meanings, by the title of the shape they stand in.
    """

    def __init__(self, schema: Json, title: str, later: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.schema = schema
        self._title = title
        self._later = later or {}

    def walk(self, keys: Sequence[str], *, start: Json | None = None) -> Walk:
        """Follow keys as far as they lead, from the top or another node."""
        return self._walk(self.schema if start is None else start, keys, self._title, 0)

    def _walk(self, node: Json, keys: Sequence[str], title: str, depth: int) -> Walk:
        if not keys or depth > _DEEPEST * 2:
            return Walk(node, 0)
        whole, title = self.resolved(node), _title(node) or title
        inside = whole.get("properties", {})
        if keys[0] in inside:
            return _one_more(self._walk(inside[keys[0]], keys[1:], title, depth + 1))
        if keys[0] in self._later.get(title, {}):
            return _one_more(Walk(_not_yet(self._later[title][keys[0]]), 0))
        element = _element(whole)
        if element is None:
            return Walk(node, 0, open=not inside and self._takes_anything(whole))
        plain = self._walk(element, keys, title, depth + 1)
        if plain.taken == len(keys) or not _by_name(whole):
            return plain
        named = _one_more(self._walk(element, keys[1:], title, depth + 1))
        return named if named.taken > plain.taken + 1 or not plain.taken else plain

    def resolved(self, node: Json) -> Json:
        """Return a node with what it refers to, and what its alternatives hold."""
        merged = dict(node)
        for _ in range(_DEEPEST):
            reference = merged.pop("$ref", None)
            if reference is None:
                break
            merged = {**self.schema.get("$defs", {}).get(reference.rpartition("/")[2], {"type": "object"}), **merged}
        for choice in (*merged.get("anyOf", ()), *merged.get("oneOf", ()), *merged.get("allOf", ())):
            if not isinstance(choice, dict):
                continue
            part = self.resolved(choice)
            if "properties" in part:
                merged["properties"] = {**part["properties"], **merged.get("properties", {})}
            for word in ("items", "additionalProperties"):
                if isinstance(part.get(word), dict):
                    merged.setdefault(word, part[word])
        return merged

    def described(self, node: Json) -> Json:
        """Return meaning, type, values, default and the keys below of a node."""
        whole = self.resolved(node)
        element = _element(whole)
        holder = whole if whole.get("properties") or element is None else self.resolved(element)
        required = holder.get("required", [])
        keys = [
            {
                "key": key,
                "type": self.type_of(inner),
                "required": key in required,
                "meaning": inner.get("description", ""),
            }
            for key, inner in holder.get("properties", {}).items()
        ]
        return {
            "meaning": whole.get("description", ""),
            "type": "map by name" if _by_name(whole) else self.type_of(whole),
            "values": whole.get("enum"),
            "default": whole.get("default"),
            "keys": keys,
        }

    def _takes_anything(self, whole: Json) -> bool:
        words = self.type_of(whole).split(" | ")
        return ("object" in words or "any" in words) and whole.get("additionalProperties") is not False

    def type_of(self, node: Json) -> str:
        """Return the types a value may have, in words."""
        if "enum" in node:
            return " | ".join(map(str, node["enum"]))
        if "$ref" in node:
            node = self.resolved(node)
        found = _plain_types(node)
        for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            if isinstance(choice, dict) and choice.get("pattern") != _VARIABLE:
                found += self.type_of(choice).split(" | ")
        return " | ".join(dict.fromkeys(found)) or ("object" if "properties" in node else "any")

    def near(self, walk: Walk, rest: Sequence[str]) -> list[str]:
        """Return the keys below a node that the next ones may mean, best first."""
        known = [item["key"] for item in self.described(walk.node)["keys"]]
        words = [word[:80] for word in rest]
        said = [key for key in known if any(len(word) > 2 and (word in key or key in word) for word in words)]
        close = [key for word in words[:1] for key in difflib.get_close_matches(word, known, n=2, cutoff=0.6)]
        return list(dict.fromkeys([*close, *said]))[:NEAR_MAX]

    def paths(self) -> Iterator[str]:
        """Yield every path, with names of maps left out; a shape inside itself once."""
        yield from self._paths(self.schema, "", ())

    def _paths(self, node: Json, above: str, inside: tuple[str, ...]) -> Iterator[str]:
        title = _title(node)
        if title in inside or len(inside) > _DEEPEST:
            return
        inside = (*inside, title) if title else inside
        whole = self.resolved(node)
        for key, inner in whole.get("properties", {}).items():
            yield f"{above}{key}"
            yield from self._paths(inner, f"{above}{key}.", inside)
        element = _element(whole)
        if element is not None and not whole.get("properties"):
            yield from self._paths(element, above, inside)


def _plain_types(node: Json) -> list[str]:
    """Return the types a node names itself; texts by what they hold."""
    pattern = str(node.get("pattern", ""))
    for ending, word in _TEXTS.items():
        if pattern.endswith(ending):
            return [word]
    kinds = node.get("type")
    return [kinds] if isinstance(kinds, str) else [kind for kind in kinds or () if kind != "null"]


def _not_yet(meaning: str) -> Json:
    told = f"{meaning} This version knows the word, and refuses it with NOT_YET_SUPPORTED."
    return {"description": told, "type": "nothing yet"}


def _one_more(walk: Walk) -> Walk:
    return walk._replace(taken=walk.taken + 1)


def _title(node: Json) -> str:
    return str(node.get("$ref", "")).rpartition("/")[2] if str(node.get("$ref", "")).startswith("#/") else ""


def _by_name(whole: Json) -> bool:
    return not whole.get("properties") and (_open_map(whole) is not None)


def _open_map(whole: Json) -> Json | None:
    by_pattern = next(iter(whole.get("patternProperties", {}).values()), None)
    found = whole.get("additionalProperties") or by_pattern
    return found if isinstance(found, dict) else None


def _element(whole: Json) -> Json | None:
    """Return the schema of what a map or a list holds."""
    items = whole.get("items")
    return _open_map(whole) or (items if isinstance(items, dict) else None)
