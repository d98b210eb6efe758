"""What a watch yields, one by one, and where it stands."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class Watch(Generic[T]):
    """What happens, one after the other, across lost connections and restarts of the daemon: `async for it in watch`.

    Close it, or `async with`, where it is left early. `resume_token` stands behind what was taken before the last
    one: keep it with what you have done, give it to the same call again, and nothing is missed. `caught_up` says
    whether all that was there when the watch began has been taken.
    """

    def __init__(
        self,
        begin: Callable[[Callable[[], None]], AsyncGenerator[Any, None]],
        items: Callable[[Any], Iterable[T]],
        token: str = "",
        on_expired: Callable[[], None] | None = None,
    ) -> None:
        self.resume_token = token
        self.caught_up = False
        self._on_expired = on_expired
        self._messages = begin(self._anew)
        self._items = items
        self._waiting: deque[T] = deque()
        self._message: Any = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            self._done_with(self._message)
            self._message = await anext(self._messages)
            self._waiting.extend(self._items(self._message))
        item = self._waiting.popleft()
        if not self._waiting and _ends_snapshot(self._message):
            self.caught_up = True
        return item

    async def snapshot(self) -> list[T]:
        """Return what there is now, all of it; the watch goes on with what changes from then on."""
        taken: list[T] = []
        while not self.caught_up:
            taken.extend(self._waiting)
            self._waiting.clear()
            self._done_with(self._message)
            if not self.caught_up:
                self._message = await anext(self._messages)
                self._waiting.extend(self._items(self._message))
        return taken

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the call. Safe to call twice."""
        await self._messages.aclose()

    def _anew(self) -> None:
        """Note that a fresh snapshot follows."""
        self.caught_up = False
        if self._on_expired is not None:
            self._on_expired()

    def _done_with(self, message: Any) -> None:
        if message is not None:
            self.resume_token = message.resume_token or self.resume_token
            self.caught_up = self.caught_up or _ends_snapshot(message)
            self._message = None


def _ends_snapshot(message: Any) -> bool:
    return bool(getattr(message, "snapshot_end", False))
