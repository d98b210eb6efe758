"""The thread that sends spans: they wait in a bounded queue, and whoever hands one over never waits."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from hostd.telemetry.otel.target import Batching
from hostd.telemetry.spans import Span

_log = logging.getLogger("hostd.telemetry")


class SpanSender:
    """Sends spans in batches. `put` from any thread; `close` once.

    Args:
        send: sends a batch and says whether it was taken; blocks, within bounds of its own.

    Attributes:
        sent: spans that the receiver took.
        failed: spans that it did not take, or that could not be written.
        dropped: spans that were the oldest in a full queue.
    """

    def __init__(self, send: Callable[[Sequence[Span]], bool], batching: Batching) -> None:
        self._send = send
        self._batching = batching
        self._queue: deque[Span] = deque()
        self._lock = threading.Lock()
        self._more = threading.Event()
        self._closing = False
        self.sent = self.failed = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="hostd-otel-spans", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, span: Span) -> None:
        """Queue a span; past the bound the oldest goes."""
        with self._lock:
            if len(self._queue) >= self._batching.queue_max:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(span)
        if len(self._queue) == self._batching.batch_max:
            self._more.set()

    def _run(self) -> None:
        while True:
            self._more.wait(self._batching.delay_s)
            self._more.clear()
            while batch := self._take():
                self._send_batch(batch)
            if self._closing and not self._queue:
                return

    def _take(self) -> list[Span]:
        with self._lock:
            return [self._queue.popleft() for _ in range(min(len(self._queue), self._batching.batch_max))]

    def _send_batch(self, batch: list[Span]) -> None:
        try:
            taken = self._send(batch)
        except Exception as error:  # noqa: BLE001 a span that cannot be written must not end the sending of all others
            _log.warning("spans_failed spans=%d error=%r", len(batch), error)
            taken = False
        if taken:
            self.sent += len(batch)
        else:
            self.failed += len(batch)

    def close(self) -> None:
        """Send what waits, and end. Blocks for as long as the receiver takes."""
        self._closing = True
        self._more.set()
        self._thread.join()

    def give_up(self) -> None:
        """Let what waits go, and end after what is being sent. Does not block."""
        self._closing = True
        with self._lock:
            self.dropped += len(self._queue)
            self._queue.clear()
        self._more.set()
