"""HTTP requests that reach a trigger through the daemon's HTTP port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeAlias
from urllib.parse import unquote

from hostd.values.json_text import dump_json

DEFAULT_BODY_BYTES_MAX = 1024 * 1024
DEFAULT_ANSWER_TIMEOUT = timedelta(minutes=1)
ANSWER_TIMEOUT_MAX = timedelta(minutes=15)


def answer_timeout_s(timeout: timedelta) -> float:
    """Return how long a handler may take, in seconds. Raises ValueError."""
    if not timedelta(0) < timeout <= ANSWER_TIMEOUT_MAX:
        raise ValueError("`timeout` of a route is more than nothing and at most 15 minutes")
    return timeout.total_seconds()


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One request. Header names are lower case; of repeated headers and query keys the last value stands.

    Attributes:
        remote: address of the peer; a proxy's where there is one.
        params: parameters of the path (`orders/{id}`), decoded.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


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


def path_params(pattern: str, path: str) -> dict[str, str]:
    """Return the parameters of a path, percent-decoded, by the pattern that it matches (`/hooks/team/orders/{id}`).

    Raises:
        ValueError: a parameter is no UTF-8.
    """
    if "{" not in pattern:
        return {}
    parts = zip(pattern.split("/"), path.split("/"), strict=True)
    return {word[1:-1]: unquote(part, errors="strict") for word, part in parts if word.startswith("{")}


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
