"""What components get on a plugin's own loop: the same contexts, whose services answer from the daemon's loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hostd.host.threads.plugin_loop import HomeLoop, PluginLoop
from hostd.plugin import BlobRef, Event, HttpAnswer, Published, WebhookHandler, WebhookRequest, WebhookResponse
from hostd.plugin.cancel import CancelFlag
from hostd.plugin.webhook import DEFAULT_ANSWER_TIMEOUT, DEFAULT_BODY_BYTES_MAX

PAGE_WAIT_MS = 60_000
ROUTE_S = 10.0
PATIENCE_S = 1.0
"""How long a handler whose time is over, or whose daemon stops, has to see that: one that blocks never does."""


class Bridged:
    """A service whose methods are coroutines: each is carried out on the daemon's loop."""

    __slots__ = ("_home", "_service")

    def __init__(self, service: Any, home: HomeLoop) -> None:
        self._service = service
        self._home = home

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            return await self._home.ask(lambda: method(*args, **kwargs))

        return ask


class BridgedBlobs(Bridged):
    """Blobs; what is put piece by piece is gathered on the plugin's loop first."""

    __slots__ = ()

    async def put(
        self, data: bytes | AsyncIterator[bytes], *, content_type: str = "application/octet-stream"
    ) -> BlobRef:
        """Keep bytes. Raises HostdError PAYLOAD_TOO_LARGE, RUN_BLOBS_FULL."""
        from hostd.plugin.services import BLOB_BYTES_MAX

        if not isinstance(data, bytes):
            gathered = bytearray()
            async for piece in data:
                gathered += piece
                if len(gathered) > BLOB_BYTES_MAX:
                    break  # the shelf says how much is too much
            data = bytes(gathered)
        whole = data
        ref: BlobRef = await self._home.ask(lambda: self._service.put(whole, content_type=content_type))
        return ref


class BridgedEvents(Bridged):
    """Topics; a subscription asks for page after page."""

    __slots__ = ()

    async def subscribe(self, topics: Sequence[str], *, after: int | None = None) -> AsyncIterator[Published]:
        """Yield events of topics in order, then new ones as they come."""
        while True:
            place = after
            page, after = await self._home.ask(lambda: self._service.read(topics, after=place, wait_ms=PAGE_WAIT_MS))  # noqa: B023
            for published in page:
                yield published


class BridgedHttp:
    """Requests that the host makes."""

    __slots__ = ("_context", "_home")

    def __init__(self, context: Any, home: HomeLoop) -> None:
        self._context = context
        self._home = home

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: timedelta | None = None,
    ) -> HttpAnswer:
        """Send one request. Raises ActionError when there is no answer."""
        answer: HttpAnswer = await self._home.ask(
            lambda: self._context.http.request(method, url, headers=headers, body=body, timeout=timeout)
        )
        return answer


class CancelThere(CancelFlag):
    """Waited for on the plugin's loop; read while that loop is blocked, too."""

    __slots__ = ("_asked",)

    def __init__(self, asked: CancelFlag) -> None:
        super().__init__()
        self._asked = asked

    def __getattribute__(self, name: str) -> Any:
        if name == "requested":
            return super().__getattribute__("_asked").requested
        return super().__getattribute__(name)


class AttemptThere:
    """An attempt's context on the plugin's loop; whatever is not here needs no bridge."""

    def __init__(self, context: Any, home: HomeLoop) -> None:
        self._context = context
        self._home = home
        self.cancel = CancelThere(context.cancel)
        self.secrets = Bridged(context.secrets, home)
        self.kv = Bridged(context.kv, home)
        self.blobs = BridgedBlobs(context.blobs, home)
        self.events = BridgedEvents(context.events, home)
        self.http = BridgedHttp(context, home)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class BridgedDoor:
    """The HTTP port: a handler answers on the plugin's loop."""

    __slots__ = ("_door", "_home", "_loop")

    def __init__(self, door: Any, home: HomeLoop, loop: PluginLoop) -> None:
        self._door = door
        self._home = home
        self._loop = loop

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout: timedelta = DEFAULT_ANSWER_TIMEOUT,
    ) -> Any:
        """Answer a path. Raises HostdError PATH_TAKEN."""

        async def handle(request: WebhookRequest) -> WebhookResponse:
            response: WebhookResponse = await self._loop.call(
                lambda: handler(request),  # type: ignore[arg-type,return-value]
                patience_s=PATIENCE_S,
            )
            return response

        held = self._home.ask_now(
            lambda: self._door.route(path, methods, handle, max_body_bytes=max_body_bytes, timeout=timeout),
            timeout_s=ROUTE_S,
        )
        return BridgedRoute(held, self._home)


class BridgedRoute:
    """A path that is answered."""

    __slots__ = ("_held", "_home", "url_path")

    def __init__(self, held: Any, home: HomeLoop) -> None:
        self._held = held
        self._home = home
        self.url_path: str = held.url_path

    def close(self) -> None:
        """Stop answering."""
        self._home.ask_now(self._held.close, timeout_s=ROUTE_S)


class TriggerThere:
    """A configured trigger's context on the plugin's loop; whatever is not here needs no bridge."""

    def __init__(self, context: Any, home: HomeLoop, loop: PluginLoop) -> None:
        self._context = context
        self._home = home
        self.secrets = Bridged(context.secrets, home)
        self.http = BridgedDoor(context.http, home, loop)

    @property
    def kv(self) -> Bridged:
        """Small values by key."""
        return Bridged(self._context.kv, self._home)

    @property
    def events(self) -> BridgedEvents:
        """The namespace's topics."""
        return BridgedEvents(self._context.events, self._home)

    async def emit(self, *events: Event, cursor: Any = None) -> Any:
        """Hand events to the host; returns once they are durable."""
        return await self._home.ask(lambda: self._context.emit(*events, cursor=cursor))

    def begun(self) -> None:
        """Say that the trigger listens."""
        self._home.tell(self._context.begun)

    async def result(self, run_id: str, *, timeout: timedelta) -> Any:
        """Return a run of the workflow once it has ended, or as it is when the time is over. Raises RUN_MISSING."""
        return await self._home.ask(lambda: self._context.result(run_id, timeout=timeout))

    async def stopped(self) -> None:
        """Wait until the host cancels the trigger."""
        await asyncio.Event().wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
