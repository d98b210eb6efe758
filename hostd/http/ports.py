"""What the HTTP door asks of the rest of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hostd.model.requests import Repeat
from hostd.model.topics import NewEvent, PublishedView
from hostd.plugin import WebhookHandler


class WebhookRoute(Protocol):
    """Who answers one path and method. A body past `max_body_bytes` is refused before the handler sees anything."""

    @property
    def handler(self) -> WebhookHandler: ...

    @property
    def max_body_bytes(self) -> int: ...

    @property
    def url_path(self) -> str:
        """The path, parameters by name."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long the handler may take."""
        ...

    def params(self, url_path: str) -> Mapping[str, str]:
        """Return the parameters of a path that leads here. Raises HostdError ARGUMENT_INVALID."""
        ...


class WebhookRoutes(Protocol):
    """The paths that triggers answer (hostd.host.routes.RouteTable)."""

    def find(self, url_path: str, method: str) -> WebhookRoute | None:
        """Return who answers `/hooks/<namespace>/<path>`, None when nobody does."""
        ...

    def methods(self, url_path: str) -> list[str]:
        """Return the methods a path answers; empty when there is no such path."""
        ...

    @property
    def incomplete(self) -> Callable[[], bool]:
        """Say whether more paths are to come: triggers that have not begun yet, or wait for their plugin."""
        ...


class Health(Protocol):
    """How the daemon is."""

    def problems(self) -> Mapping[str, str]:
        """Return what keeps the daemon from taking work: part to reason, such as {"journal": "JOURNAL_FULL"}."""
        ...


TRACE = "hostd.trace"
"""Key of a request that holds the trace context it is answered in, as one text; absent for none."""


class MetricsSource(Protocol):
    """The metrics as text (hostd.telemetry.meter.Meter)."""

    async def render(self, *, openmetrics: bool = False) -> bytes:
        """Return everything in the Prometheus text format, or in OpenMetrics'."""
        ...


class EventTopics(Protocol):
    """Where events that are posted go (runtime.event_desk)."""

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, principal: str, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        """Publish events, all or none; answers once durable, in order.

        Raises TOPIC_INVALID, EVENT_INVALID, REQUEST_ID_CONFLICT.
        """
        ...


class TokenCheck(Protocol):
    """Whether a bearer token may read what only the operator may."""

    def __call__(self, token: str) -> bool: ...
