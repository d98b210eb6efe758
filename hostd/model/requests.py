"""What the doors ask of the runtime, in nouns: checked, bounded, and free of any wire form."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from hostd.model.filters import Filter

OnOpen: TypeAlias = Literal["FAIL", "USE_EXISTING", "TERMINATE_EXISTING"]
OnClosed: TypeAlias = Literal["ALLOW", "ALLOW_IF_FAILED", "REJECT"]

KEY_BYTES_MAX = 256
REQUEST_ID_BYTES_MAX = 128
LABELS_MAX = 32
LABEL_BYTES_MAX = 256
STARTS_MAX = 500


class Repeat(msgspec.Struct, frozen=True, gc=False):
    """How a repeated request is known: within 24 hours the same id is answered with the first answer.

    `digest` is of the request's named fields; the same id with another one is REQUEST_ID_CONFLICT.
    """

    request_id: str
    digest: bytes


class RunRef(msgspec.Struct, frozen=True, gc=False):
    """Names a run: by `run_id`, or (where that is empty) as the newest of a workflow and key."""

    run_id: str = ""
    workflow: str = ""
    key: str = ""


class StartRequest(msgspec.Struct, frozen=True, gc=False):
    """One start.

    Args:
        version: empty means the active one.
        input: JSON text that was parsed once at the door; empty means nothing was sent.
        value: the same, parsed; read only. None where nothing was sent (and for null).
        repeat: None where the caller sent no request id.
        trace: W3C trace context of the caller (values/trace.py), or empty.
    """

    workflow: str
    version: str = ""
    input: bytes = b""
    value: Any = None
    key: str = ""
    labels: dict[str, str] = {}
    repeat: Repeat | None = None
    on_open: OnOpen = "FAIL"
    on_closed: OnClosed = "ALLOW"
    trace: str = ""


class SignalRequest(msgspec.Struct, frozen=True, gc=False):
    """What a run is told. `data` is JSON text; `value` is the same, parsed once at the door and read only."""

    name: str
    data: bytes = b"null"
    value: Any = None


class RunList(msgspec.Struct, frozen=True, gc=False):
    """A page of a list of runs, newest first unless `ascending`.

    `after`: the `number` of the last run of the page before; 0 = from the start.
    """

    filter: Filter | None = None
    after: int = 0
    limit: int = 100
    ascending: bool = False


class TrialEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that is tried on a trigger. Empty, or without `has_data`: as the trigger would fill it in."""

    data: Any = None
    has_data: bool = True
    event_id: str = ""
    type: str = ""
    source: str = ""
    subject: str = ""
    time_ms: int = 0
    extensions: dict[str, Any] = {}


class LetterSelection(msgspec.Struct, frozen=True, gc=False):
    """Which dead letters; all that is given must fit. Empty means any."""

    numbers: tuple[int, ...] = ()
    tree: Filter | None = None
