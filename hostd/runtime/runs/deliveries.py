"""Signals for the open run of a key: into the run that is there, or with the start of one, in one append."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.model.messages import Signal, Tick
from hostd.model.states import RunState, run_is_final
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.intake import Intake, Started
from hostd.runtime.ring.seen import LookAgain, Seen, name_of
from hostd.runtime.ring.starts import Prepared
from hostd.runtime.ring.turn import Answer, Turn

_TICK = Tick()


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A signal for the open run of a key. `start`: begins one where none is open; None leaves it at that."""

    namespace: str
    workflow: str
    key: str
    signal: Signal
    principal: str
    start: Prepared | None = None
    request_id: str = ""
    digest: bytes = b""

    @property
    def on_open(self) -> str:
        """What it does to an open run; none of a start's words."""
        return "SIGNAL"

    @property
    def on_closed(self) -> str:
        """What a finished run of the key means for the start."""
        return self.start.on_closed if self.start is not None else "ALLOW"

    @property
    def size_bytes(self) -> int:
        """What it holds while it waits."""
        return self.start.size_bytes if self.start is not None else len(self.signal.data)


def delivery_of(start: Prepared, signal: Signal) -> Delivery:
    """Return the delivery that begins a run where none of the start's key is open: the run begins with the signal."""
    begun = msgspec.structs.replace(start, message=msgspec.structs.replace(start.message, signal=signal))
    return Delivery(
        start.namespace, start.workflow, start.key, signal, start.principal, begun, start.request_id, start.digest
    )


class Deliveries:
    """Brings signals to the open runs of keys."""

    def __init__(self, *, loop: EngineLoop, intake: Intake) -> None:
        self._loop = loop
        self._intake = intake

    async def deliver(self, delivery: Delivery) -> Started:
        """Deliver one signal that a client sent; answers once it is durable.

        Raises:
            HostdError: SIGNAL_*, RUN_CLOSED_EXISTS, REQUEST_ID_CONFLICT, RUN_STATE; INTAKE_FULL, DRAINING, JOURNAL_*.
        """
        self._intake.refuse_draining(1)
        while True:
            seen = await self._intake.look([delivery])
            async with self.at_hand([delivery], seen):
                item = _DeliveryItem(self, delivery, seen)
                self._loop.enter(item)
                started = await item.future
            if started is not None:
                return started

    @asynccontextmanager
    async def at_hand(self, deliveries: Sequence[Delivery], seen: Seen) -> AsyncIterator[None]:
        """Hold the open runs in memory, so that a turn can decide about them."""
        keys = {key for delivery in deliveries if (key := self._open_run(delivery, seen))}
        residence = self._loop.residence
        for key in keys:
            residence.pin(key)
        try:
            away = [key for key in keys if residence.get(key) is None]
            if away:
                await asyncio.gather(*(self._load(key) for key in away))
            yield
        finally:
            for key in keys:
                residence.unpin(key)

    def _open_run(self, delivery: Delivery, seen: Seen) -> int:
        live = self._intake.live(name_of(delivery), seen)
        return live[0] if live is not None and not self._is_held(delivery, seen) else 0

    def _is_held(self, delivery: Delivery, seen: Seen) -> bool:
        row = seen.open_runs.get(name_of(delivery))
        return row is not None and row.state == RunState.HELD

    async def _load(self, key: int) -> None:
        """Have a run read into memory: whatever is due in it happens, nothing else."""
        try:
            await self._loop.ask(key, _TICK, "")
        except HostdError as error:
            if error.reason != "RUN_MISSING":  # it ended just now
                raise

    def must_look_again(self, delivery: Delivery, seen: Seen) -> bool:
        """Say whether what was seen of the key is older than what memory knows."""
        if self._intake.is_stale(delivery, seen):
            return True
        key = self._open_run(delivery, seen)
        return key != 0 and self._loop.residence.get(key) is None

    def deliver_in(self, turn: Turn, delivery: Delivery, seen: Seen) -> Started | None:
        """Deliver a signal inside a turn; None where no run of the key is open and none is to be started.

        Raises:
            HostdError: SIGNAL_*, RUN_CLOSED_EXISTS, REQUEST_ID_CONFLICT, RUN_STATE, EXPRESSION_FAILED of `vars`.
            LookAgain: what was seen is out of date.
        """
        first = self._intake.first_answer(delivery, seen)
        if first is not None:
            return first
        if self.must_look_again(delivery, seen):
            raise LookAgain
        live = self._intake.live(name_of(delivery), seen)
        if live is None:
            return self._intake.start_in(turn, delivery.start, seen) if delivery.start is not None else None
        resident = self._loop.residence.get(live[0])
        if resident is None or run_is_final(resident.run.state):
            message = f"the open run {live[1]} of the key {delivery.key!r} is HELD; it takes no signals"
            raise HostdError(Kind.STATE, "RUN_STATE", message, details={"run_id": live[1], "state": "HELD"})
        self._loop.decisions.decide_in(turn, resident, delivery.signal, delivery.principal)
        result = Started(live[1], live[0], True, resident.run.plan.version)
        self._intake.remember_id(turn, delivery, result)
        return result


class _DeliveryItem:
    """A signal on the doors' lane; answers with a Started, None to look again."""

    patient = False

    def __init__(self, deliveries: Deliveries, delivery: Delivery, seen: Seen) -> None:
        self.size = 1
        self.size_bytes = delivery.size_bytes
        self.future: asyncio.Future[Started | None] = asyncio.get_running_loop().create_future()
        self._deliveries = deliveries
        self._delivery = delivery
        self._seen = seen

    def enter(self, turn: Turn) -> None:
        """Deliver it. Raises HostdError for the door to tell."""
        try:
            result = self._deliveries.deliver_in(turn, self._delivery, self._seen)
        except LookAgain:
            result = None
        turn.answers.append(Answer(self.future, result))
