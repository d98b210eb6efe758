"""The name of a resource, one line for `-o name` and --quiet: what other commands take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIELDS = ("id", "version", "number", "event_id", "key", "reason", "path", "file", "text", "time", "topic")
_INSIDE = ("workflow", "trigger", "secret", "started", "run", "plugin")  # of answers that hold a resource and more


def name_of(value: Any) -> str:
    """Return what names a value, empty where nothing does: run id, WORKFLOW, WORKFLOW/TRIGGER, plugin id, ..."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    for field in _INSIDE:
        if isinstance(value.get(field), Mapping):
            return name_of(value[field])
    if "run_id" in value:
        return str(value["run_id"] or "")
    if "kind" in value and "seq" in value:
        return str(value["seq"])
    if "name" in value:
        workflow = value.get("workflow")
        return f"{workflow}/{value['name']}" if workflow else str(value["name"])
    if "workflow" in value and "activate_time" in value:
        return str(value["workflow"])
    for field in _FIELDS:
        if value.get(field) not in (None, ""):
            return str(value[field])
    return str(value.get("position", "") or value.get("workflow", "") or value.get("state", ""))
