"""What a workflow's `permissions` can ask for: actions that its scripts may use as calls to the host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hostd.definition.mistakes import did_you_mean

CAPABILITIES: Mapping[str, str] = {
    "http.request": "one HTTP request",
    "kv.get": "read a durable value of the namespace",
    "kv.list": "read a page of keys",
    "kv.put": "keep a value",
    "kv.add": "add to a whole number",
    "kv.delete": "forget a key",
    "event.publish": "publish an event into a topic",
}
"""Name, which is the action's, and what it does."""


def unknown_capabilities(permissions: Iterable[str]) -> tuple[str, ...]:
    """Return a warning for each permission that grants nothing. No mistakes: versions know what their release knew."""
    unknown = (name for name in permissions if name not in CAPABILITIES)
    return tuple(f"permissions: {name} grants nothing; {_fix(name)}" for name in unknown)


def _fix(name: str) -> str:
    return did_you_mean(name, CAPABILITIES) or f"there are {', '.join(CAPABILITIES)}"
