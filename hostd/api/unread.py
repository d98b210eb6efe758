"""How many bytes of events are handed to the wire and not taken yet, by all subscriptions together.

What gRPC holds for a consumer that does not read cannot be taken back. So a message is only handed over where there is
room for it. A small one always fits: watches are counted, and small is bounded. Beyond that all share one budget.
"""

from __future__ import annotations

import asyncio
from collections import deque

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind

SMALL_BYTES = 64 * 1024  # a message of this size needs no room
SHARED_BYTES_MAX = 64 * 1024 * 1024
WAIT_S = 10.0  # for room, and how long a message may lie when others need it
AGAIN_S = 5.0


class UnreadBytes:
    """The budget of one daemon.

    Args:
        most: bytes beyond small messages that may lie unread, of all subscriptions together.
    """

    def __init__(self, clock: Clock, most: int = SHARED_BYTES_MAX, *, wait_s: float = WAIT_S) -> None:
        self._clock = clock
        self._most = most
        self._wait_s = wait_s
        self._held: dict[Unread, float] = {}  # who holds some, since when (monotonic), longest first
        self._line: deque[asyncio.Future[None]] = deque()  # who waits for room
        self.size_bytes = 0

    def of_one(self) -> Unread:
        """Return what one subscription asks; it is to be closed."""
        return Unread(self)

    def take(self, unread: Unread, size_bytes: int) -> bool:
        """Take room for a message; False where there is none. One message fits where nothing else lies."""
        if size_bytes and self.size_bytes and self.size_bytes + size_bytes > self._most:
            return False
        if size_bytes:
            unread.size_bytes = size_bytes
            self.size_bytes += size_bytes
            self._held[unread] = self._clock.monotonic_s()
        self._wake()
        return True

    def give_back(self, unread: Unread) -> None:
        """Give back what a subscription holds."""
        if self._held.pop(unread, None) is not None:
            self.size_bytes -= unread.size_bytes
            unread.size_bytes = 0
            self._wake()

    async def freed(self) -> None:
        """Return when it is this one's turn and some room is free; whoever held his for long meanwhile is too slow.

        Raises:
            HostdError: WATCH_TOO_SLOW where nothing became free.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._wake()  # it goes although its turn had come
            if isinstance(error, TimeoutError):
                text = "other subscriptions do not read, and hold all room there is for large events; resume later"
                raise too_slow(text) from None
            raise
        finally:
            now_s = self._clock.monotonic_s()
            for unread, since_s in self._held.items():
                unread.slow = unread.slow or now_s - since_s >= self._wait_s

    def _wake(self) -> None:
        """Let the first who waits look again, where there is any room."""
        while self._line and self.size_bytes < self._most:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class Unread:
    """What one subscription has handed over and its consumer not taken."""

    __slots__ = ("_all", "size_bytes", "slow")

    def __init__(self, shared: UnreadBytes) -> None:
        self._all = shared
        self.size_bytes = 0
        self.slow = False  # others waited for its room

    def take(self, message: bytes) -> bool:
        """Take room for a message; False where there is none."""
        return self._all.take(self, max(0, len(message) - SMALL_BYTES))

    def taken(self) -> None:
        """Give the room back: the consumer has the message. Raises HostdError WATCH_TOO_SLOW where it took too long."""
        self._all.give_back(self)
        if self.slow:
            raise too_slow("the consumer did not keep up while others needed its room; resume with the last token")

    async def room(self) -> None:
        """Wait until there may be room; hold no message meanwhile. Raises HostdError WATCH_TOO_SLOW."""
        await self._all.freed()

    def close(self) -> None:
        """Give back what is held; may be called twice."""
        self._all.give_back(self)


def too_slow(message: str) -> HostdError:
    """Return why a subscription ends."""
    return HostdError(Kind.EXHAUSTED, "WATCH_TOO_SLOW", message, retry_after_s=AGAIN_S)
