"""The writer: one thread, one connection, one order.

The loop hands batches over by a queue; what waits when a commit ends is the next commit (group commit), and one
`call_soon_threadsafe` per commit brings the answers back. While nothing is queued or in flight the thread is parked,
and the loop may borrow the connection for one batch that is alone, if recent commits were fast.

Other threads (pruning, backup) hand over calls; the lock keeps the loop from borrowing meanwhile.

After a batch failed, every batch that was appended before its `done` came fails too: it was decided upon records that
do not exist. FULL and BUSY close the writer until a probe, one a second, succeeds.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Appended, Batch, Done
from hostd.journal.transactions import Transactions

T = TypeVar("T")
INLINE_COMMIT_MAX_S = 500e-6  # slower ones go to the thread: the loop would stand still for as long
GROUP_BATCHES_MAX = 64
RETRY_S = 1.0
NOTE_S = 1.0
LOOK_S = 0.01  # a look at the file takes as long as a tenth of a small commit: bursts share one
_WAITING = ("JOURNAL_FULL", "JOURNAL_BUSY", "JOURNAL_READ_ONLY")
_log = logging.getLogger("hostd.journal")


class _Append(NamedTuple):
    batch: Batch
    done: Done
    generation: int


class _Call(NamedTuple):
    work: Callable[[], Any]
    future: Future[Any]


class _Sign(enum.Enum):
    """WAKE: look at the clock, something is due sometime. STOP: finish what is queued, then end."""

    WAKE = 1
    STOP = 2


_WAKE, _STOP = _Sign.WAKE, _Sign.STOP
_Item = _Append | _Call | _Sign
_Outcome = tuple[Done, Appended | None, HostdError | None]


class Writer:
    """Owns the writing connection from `start` to `stop`.

    Args:
        note: called on the writing thread at most once a second after commits, and once at the end; writes the sidecar.
        check: called before commits, at most each `LOOK_S`, and probes; says why the file must not be written any more.
    """

    def __init__(
        self, transactions: Transactions, *, note: Callable[[], None], check: Callable[[], HostdError | None]
    ) -> None:
        self._transactions = transactions
        self._note = note
        self._check = check
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._held: list[_Item] = []  # taken from the queue, not yet served; writer thread only
        self._connection = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_flight = 0  # appends whose outcome has not come back; loop thread only
        self._generation = 0  # raised on the loop when a failure has come back
        self._failed = (-1, _closed())  # newest generation that failed, and why; writer thread only
        self._refusing: HostdError | None = None
        self._probe_due_s = 0.0
        self._note_due_s = 0.0  # 0 = nothing to note
        self._looked_s = 0.0
        self._thread = threading.Thread(target=self._serve, name="hostd-journal", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued and end the thread. The last note is written. May be called twice."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(_STOP)
            self._thread.join()
            self._connection.acquire()  # for good: nobody borrows the connection any more
            left = [item for item in self._held + _rest(self._queue) if isinstance(item, _Append)]
            if left:
                self._send([(item.done, None, _closed()) for item in left])

    def append(self, batch: Batch, done: Done, *, alone: bool) -> Appended | None:
        """Hand a batch over, or commit it at once; see the port. On the loop's thread."""
        if self._stopped:
            raise _closed()
        quick = alone and not self._in_flight and self._transactions.commit_s < INLINE_COMMIT_MAX_S
        if quick and self._connection.acquire(blocking=False):
            try:
                return self._append_here(batch)
            finally:
                self._connection.release()
        self._loop = asyncio.get_running_loop()
        self._in_flight += 1
        self._queue.put(_Append(batch, done, self._generation))
        return None

    def _append_here(self, batch: Batch) -> Appended:
        refusal = self._look()
        if refusal is not None:
            self._queue.put(_WAKE)
            raise refusal
        try:
            appended = self._transactions.append([batch])[0]
        except HostdError as error:
            if self._refuse(error):
                self._queue.put(_WAKE)
            raise
        if self._note_later():
            self._queue.put(_WAKE)
        return appended

    def call(self, work: Callable[[], T]) -> T:
        """Run a call on the writing thread between commits and wait for it. Not on the loop's thread."""
        future: Future[T] = Future()
        if self._stopped:
            raise _closed()
        self._queue.put(_Call(work, future))
        return future.result()

    def serve_waiting(self) -> None:
        """Commit the batches that wait: for long calls to make room between their steps. On the writing thread."""
        while (item := self._take(block=False)) is not None:
            if isinstance(item, _Append):
                self._commit(self._group(item))
            else:
                self._held.append(item)
        self._look_at_clock()

    # -- the writing thread

    def _serve(self) -> None:
        while (item := self._next()) is not _STOP:
            with self._connection:
                if isinstance(item, _Append):
                    self._commit(self._group(item))
                elif isinstance(item, _Call):
                    _run(item)
                self._look_at_clock()
        with self._connection:
            self._note()

    def _next(self) -> _Item:
        """Return the next item; wait for it no longer than until something is due."""
        if self._held:
            return self._held.pop(0)
        item = self._take(block=True)
        return _WAKE if item is None else item

    def _take(self, *, block: bool) -> _Item | None:
        due = [due_s for due_s in (self._note_due_s, self._probe_due_s) if due_s]
        timeout_s = max(0.001, min(due) - time.monotonic()) if due else None
        try:
            return self._queue.get(block, timeout_s)
        except Empty:
            return None

    def _group(self, first: _Append) -> list[_Append]:
        """Return the batches that go into one commit: what waits by now, in order."""
        group = [first]
        while len(group) < GROUP_BATCHES_MAX and not self._held and not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, _Append):
                group.append(item)
            else:
                self._held.append(item)
        return group

    def _commit(self, group: list[_Append]) -> None:
        """Make a group durable; where that fails as a whole, one by one until the one that fails."""
        refusal = self._look()
        outcomes: list[_Outcome] = [
            (item.done, None, error) for item in group if (error := refusal or self._doomed(item)) is not None
        ]
        if not outcomes:
            try:
                appended = self._transactions.append([item.batch for item in group])
                outcomes = [(item.done, result, None) for item, result in zip(group, appended, strict=True)]
                self._note_later()
            except Exception as error:  # noqa: BLE001 - supervises: without this thread every caller would wait for ever
                outcomes = self._fail(group[0], _named(error)) if len(group) == 1 else []
        if outcomes and len(outcomes) == len(group):
            self._send(outcomes)
            return
        for item in group:
            self._commit([item])

    def _doomed(self, item: _Append) -> HostdError | None:
        generation, error = self._failed
        return error if item.generation <= generation else None

    def _fail(self, item: _Append, error: HostdError) -> list[_Outcome]:
        self._failed = (item.generation, error)
        self._refuse(error)
        return [(item.done, None, error)]

    def _send(self, outcomes: list[_Outcome]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, outcomes)

    def _deliver(self, outcomes: list[_Outcome]) -> None:
        """Call back, on the loop; one callback that raises keeps none of the others from theirs."""
        done, appended, error = outcomes[0]
        self._in_flight -= 1
        if error is not None:
            self._generation += 1
        try:
            done(appended, error)
        finally:
            if len(outcomes) > 1:
                self._deliver(outcomes[1:])

    # -- what is due

    @property
    def refusing(self) -> HostdError | None:
        """Why nothing can be written just now. Any thread."""
        return self._refusing

    def look(self) -> None:
        """Look whether the file may still be written. Any thread; does nothing while the writer works, which looks."""
        if self._connection.acquire(blocking=False):
            try:
                refusal = self._look()
            finally:
                self._connection.release()
            if refusal is not None:
                self._queue.put(_WAKE)

    def _look(self) -> HostdError | None:
        """Return why nothing may be written; before a commit, so that none is acknowledged that lies elsewhere."""
        now_s = time.monotonic()
        if self._refusing is None and now_s >= self._looked_s + LOOK_S:
            self._looked_s = now_s
            if (error := self._check()) is not None:
                self._close_door(error)
        return self._refusing

    def _refuse(self, error: HostdError) -> bool:
        """Close the writer until a probe succeeds, if waiting can help; return whether it closed."""
        if error.reason not in _WAITING:
            return False
        self._close_door(error)
        return True

    def _close_door(self, error: HostdError) -> None:
        if self._refusing is None:
            _log.error("journal_refuses_writes reason=%s message=%s", error.reason, error.message)
        self._refusing = error
        self._probe_due_s = time.monotonic() + RETRY_S

    def _note_later(self) -> bool:
        if self._note_due_s:
            return False
        self._note_due_s = time.monotonic() + NOTE_S
        return True

    def _look_at_clock(self) -> None:
        now_s = time.monotonic()
        if self._probe_due_s and now_s >= self._probe_due_s:
            self._probe()
        if self._note_due_s and now_s >= self._note_due_s:
            self._note_due_s = 0.0
            self._note()
            self._look()

    def _probe(self) -> None:
        error = self._check() or self._transactions.probe()
        if error is not None:
            self._probe_due_s = time.monotonic() + RETRY_S
            return
        self._probe_due_s = 0.0
        self._refusing = None
        _log.warning("journal_accepts_writes")


def _closed() -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "The journal is closed; nothing was written.")


def _named(error: Exception) -> HostdError:
    """Return why an append failed; what SQLite or a check did not name is a mistake of ours."""
    if isinstance(error, HostdError):
        return error
    _log.error("journal_append_failed", exc_info=error)
    return HostdError(Kind.BUG, "BUG", f"Nothing was written: a batch could not be put into SQL ({error!r}).")


def _rest(queue: SimpleQueue[_Item]) -> list[_Item]:
    """Return what is left in a queue that nobody serves."""
    rest = []
    while not queue.empty():
        rest.append(queue.get())
    return rest


def _run(call: _Call) -> None:
    """Run a call and hand back what comes of it, errors included."""
    try:
        call.future.set_result(call.work())
    except BaseException as error:  # noqa: BLE001 - the thread lives on; the caller raises it
        call.future.set_exception(error)
