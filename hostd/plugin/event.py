"""Events: something that happened outside, in a CloudEvents 1.0 envelope."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

from hostd.values.json_text import JsonValue

EVENT_ID_BYTES_MAX = 256

Overlap: TypeAlias = Literal["allow", "skip", "queue", "cancel_running"]
"""What an event that would start a run does while one is open that the same trigger started: start another, be SKIPPED,
wait until it has ended (emit such events one at a time), or cancel it and start."""


_OVERLAPS: tuple[str, ...] = get_args(Overlap)


def rfc3339(at: datetime) -> str:
    """Return an aware time as RFC 3339 text in UTC ending in `Z`, with as many digits of a second as it needs."""
    text = at.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is unique per trigger: a second event with the same id is DUPLICATE and starts nothing.

    Attributes:
        overlap: for the host; no part of the envelope.
    """

    id: str
    source: str
    type: str
    time: datetime
    data: JsonValue = None
    subject: str = ""
    extensions: dict[str, JsonValue] = field(default_factory=dict)
    overlap: Overlap = "allow"

    def __post_init__(self) -> None:
        if self.overlap not in _OVERLAPS:
            raise ValueError(f"an event's overlap is {', '.join(_OVERLAPS)}, not {self.overlap!r}")
        if not self.id or len(self.id.encode("utf-8", "replace")) > EVENT_ID_BYTES_MAX:
            raise ValueError(f"an event's id has 1 to {EVENT_ID_BYTES_MAX} bytes")
        if self.time.tzinfo is None:
            raise ValueError("an event's time must be aware (datetime.now(UTC))")

    def to_json(self) -> dict[str, JsonValue]:
        """Return the envelope that expressions see as `event`."""
        envelope: dict[str, JsonValue] = dict(self.extensions)
        envelope |= {"specversion": "1.0", "id": self.id, "source": self.source, "type": self.type}
        envelope |= {"time": rfc3339(self.time), "datacontenttype": "application/json", "data": self.data}
        if self.subject:
            envelope["subject"] = self.subject
        return envelope


class EmitOutcome(enum.StrEnum):
    """What became of an emitted event. SKIPPED: its `overlap` forbade a start; `run_ids` are the open runs."""

    STARTED = "STARTED"
    SIGNALED = "SIGNALED"
    NO_MATCH = "NO_MATCH"
    DUPLICATE = "DUPLICATE"
    SKIPPED = "SKIPPED"
    DEAD_LETTERED = "DEAD_LETTERED"


@dataclass(frozen=True, slots=True)
class Emitted:
    """The host's answer for one event, once it is durable."""

    event_id: str
    outcome: EmitOutcome
    run_ids: tuple[str, ...] = ()
