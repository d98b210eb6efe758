"""What a trigger's expressions see: the event, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from hostd.definition.plan import TriggerPlan
from hostd.errors.base import invalid
from hostd.model.messages import Signal
from hostd.model.requests import KEY_BYTES_MAX
from hostd.values.json_text import dump_json, parse_json


class EventScope:
    """Scope (definition.plan.Scope) over one event."""

    def __init__(self, event: dict[str, Any], *, now_ms: int, trigger: str, event_id: str) -> None:
        self._event = event
        self._trigger = trigger
        self._event_id = event_id
        self.now_ms = now_ms

    @property
    def event(self) -> dict[str, Any]:
        """The envelope."""
        return self._event

    def root(self, name: str) -> Any:
        """Return the event. Raises LookupError for anything else."""
        if name == "event":
            return self._event
        raise LookupError(f"`{name}` has no value in a trigger; it sees `event`")

    def step(self, step_id: str, field: str) -> Any:
        """Raise: no step has run yet."""
        raise LookupError("a trigger sees no steps")

    def why_null(self, step_id: str) -> str:
        """Return that there are no steps."""
        return "a trigger sees no steps"

    def status(self, name: str) -> bool:
        """Raise: there is nothing to ask about."""
        raise LookupError(f"{name}() has no meaning in a trigger")

    def seed(self, field_path: str) -> bytes:
        """Return what random functions are seeded with: the same for the same event."""
        text = "\x00".join((self._trigger, self._event_id, field_path))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


def key_of(trigger: TriggerPlan, scope: EventScope) -> str:
    """Return the key of the run that an event leads to, empty for none. Raises HostdError EXPRESSION_*, KEY_INVALID."""
    if trigger.key is None:
        return ""
    value = trigger.key.render(scope)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid("KEY_INVALID", f"`key` of the trigger gave {_kind(value)}, not a text")
    key = str(value)
    size = len(key.encode())
    if size > KEY_BYTES_MAX or (not key and trigger.signal is not None):
        raise invalid("KEY_INVALID", f"`key` of the trigger gave a text of {size} bytes; it has 1 to {KEY_BYTES_MAX}")
    return key


def signal_of(trigger: TriggerPlan, scope: EventScope, request_id: str) -> Signal | None:
    """Return what an event says to the open run of its key, None where it starts one. Raises HostdError EXPRESSION_*.

    Args:
        request_id: makes the run receive the event once.
    """
    plan = trigger.signal
    if plan is None:
        return None
    name = plan.name.render(scope)
    if not isinstance(name, str):
        raise invalid("EXPRESSION_FAILED", f"`signal.name` of the trigger gave {_kind(name)}, not a text")
    data = dump_json(plan.data.render(scope) if plan.data is not None else scope.event.get("data"))
    return Signal(name, data, parse_json(data), request_id)


def _kind(value: Any) -> str:
    return {type(None): "null", bool: "true or false", list: "a list", dict: "a map"}.get(type(value), "a number")


def input_of(trigger: TriggerPlan, scope: EventScope) -> Any:
    """Return the input of the run that an event starts. Raises HostdError EXPRESSION_*."""
    if trigger.input is not None:
        return trigger.input.render(scope)
    data = scope.event.get("data")
    return data if isinstance(data, dict) else {}
