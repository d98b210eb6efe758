"""Who asks: set by the door around every call, read by the services."""

from __future__ import annotations

from contextvars import ContextVar

import msgspec


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The principal of a call, its W3C trace context (values/trace.py), and whether it came over the socket."""

    principal: str
    trace: str = ""
    local: bool = False


CALLER: ContextVar[Caller] = ContextVar("caller")
