"""Pages of what can be explained, without a daemon: keys of documents and of the configuration, actions and triggers.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

Page = dict[str, Any]
_DEEPEST = 12


@cache
def _schema(kind: str) -> dict[str, Any]:
    from hostd.definition.schema import trigger_schema, workflow_schema

    made = workflow_schema() if kind == "workflow" else trigger_schema()
    plain: dict[str, Any] = json.loads(json.dumps(made))
    return plain


def document_page(path: str) -> Page | None:
    """Return the page of a key of documents, such as `steps.retry` or `steps.fetch.with`; None where there is none."""
    name = path.removeprefix("workflow.")
    engine = _schema("workflow").get("$defs", {}).get(name) if name.startswith("flow.") else None
    found = engine if isinstance(engine, dict) else _find(_schema("workflow"), name.split("."))
    kind = "workflow document"
    if found is None and path.startswith("trigger."):
        found, kind = _find(_schema("trigger"), path.split(".")[1:]), "trigger document"
    return None if found is None else {"kind": kind, "name": path, **_described(found, kind)}


def _find(node: dict[str, Any], keys: list[str]) -> dict[str, Any] | None:
    """Return what keys lead to. In a map by names, such as `steps`, the name may be left out."""
    if not keys:
        return node
    whole = _resolved(node)
    inside = whole.get("properties", {}).get(keys[0])
    if isinstance(inside, dict):
        return _find(inside, keys[1:])
    element = whole.get("additionalProperties")
    if isinstance(element, dict):
        return _find(element, keys) or _find(element, keys[1:])
    return None


def _resolved(node: dict[str, Any], kind: str = "workflow") -> dict[str, Any]:
    """Return a schema with what it refers to, and what its alternatives hold."""
    merged = dict(node)
    for _ in range(_DEEPEST):
        reference = merged.pop("$ref", None)
        if reference is None:
            break
        target = _schema(kind)["$defs"].get(reference.rpartition("/")[2], {})  # JSON Schema itself is no key of ours
        merged = {**target, **merged}
    for choice in (*merged.get("anyOf", ()), *merged.get("oneOf", ()), *merged.get("allOf", ())):
        if isinstance(choice, dict) and ("properties" in choice or "$ref" in choice):
            part = _resolved(choice, kind)
            merged["properties"] = {**part.get("properties", {}), **merged.get("properties", {})}
    return merged


def _described(node: dict[str, Any], kind: str) -> Page:
    room = kind.partition(" ")[0]
    whole = _resolved(node, room)
    element = whole.get("additionalProperties")
    by_name = isinstance(element, dict) and not whole.get("properties")
    holder = _resolved(element, room) if by_name and isinstance(element, dict) else whole
    required = holder.get("required", [])
    keys = [
        {"key": key, "type": _type(inner), "required": key in required, "meaning": inner.get("description", "")}
        for key, inner in holder.get("properties", {}).items()
    ]
    return {
        "meaning": whole.get("description", ""),
        "type": "map by name" if by_name else _type(whole),
        "values": whole.get("enum"),
        "default": whole.get("default"),
        "keys": keys,
    }


def _type(node: dict[str, Any]) -> str:
    """Return the types a value may have, in words."""
    if "enum" in node:
        return " | ".join(map(str, node["enum"]))
    kinds = node.get("type")
    found = [kinds] if isinstance(kinds, str) else list(kinds or [])
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        found += _type(choice).split(" | ") if isinstance(choice, dict) else []
    return " | ".join(dict.fromkeys(found)) or ("object" if "$ref" in node or "properties" in node else "any")


def config_page(key: str) -> Page | None:
    """Return the page of a key of the configuration, or of a room of keys; None where there is none."""
    from hostd.config.layers import PREFIX
    from hostd.config.reference import config_keys, default_text

    fields = dict(config_keys())
    field = fields.get(key)
    if field is not None:
        return {
            "kind": "configuration",
            "name": key,
            "meaning": field.description or "",
            "default": default_text(field).strip("`") or None,
            "variable": PREFIX + key.replace(".", "__").upper(),
            "keys": [],
        }
    inside = [
        {"key": name, "type": "", "required": False, "meaning": inner.description or ""}
        for name, inner in fields.items()
        if name.startswith(f"{key}.")
    ]
    return {"kind": "configuration", "name": key, "meaning": "", "keys": inside} if inside else None


def component_page(component: str) -> Page | None:
    """Return the page of an action or trigger that comes with hostd; None where there is none."""
    from hostd.cli.local_plugins import component_docs
    from hostd.errors.base import HostdError

    try:
        found = component_docs(component, "", None)
    except HostdError as error:
        if error.reason != "PLUGIN_MISSING":
            raise
        return None
    return {"kind": found["kind"], "name": found["id"], "plugin": found["plugin"], "page": found["page"]}


def known_names() -> Iterator[str]:
    """Yield what can be explained beside reasons: keys of documents two deep, keys of the configuration, components."""
    from hostd.config.reference import config_keys
    from hostd.host.host import PluginHost

    for name, node in _schema("workflow")["properties"].items():
        yield name
        yield from (f"{name}.{item['key']}" for item in _described(node, "workflow document")["keys"])
    yield from (name for name in _schema("workflow")["$defs"] if name.startswith("flow."))
    yield from (name for name, _ in config_keys())
    registry = PluginHost().load()
    yield from registry.actions
    yield from registry.triggers
