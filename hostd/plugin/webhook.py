"""HTTP requests that reach a trigger through the daemon's HTTP port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from hostd.values.json_text import dump_json

DEFAULT_BODY_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One request. Header names are lower case; of repeated headers and query keys the last value stands."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """The answer to one request."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, status: int, value: object) -> WebhookResponse:
        """Return an answer with a JSON body, one line. Raises HostdError when the value is not JSON."""
        return cls(status, {"content-type": "application/json"}, dump_json(value) + b"\n")


WebhookHandler: TypeAlias = Callable[[WebhookRequest], Awaitable[WebhookResponse]]


class Route(Protocol):
    """A path the daemon answers for a trigger; the host takes it back when the trigger ends."""

    @property
    def url_path(self) -> str:
        """The path from the root, `/hooks/<namespace>/<path>`."""
        ...

    def close(self) -> None:
        """Stop answering; may be called twice."""
        ...
