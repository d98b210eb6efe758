"""The engine loop: one owner for every run of this process, one append a turn, nothing speculative leaving.

    lanes -> turn: decide, evolve, encode -> journal.append -> durable: answers, watchers, commands -> lanes

- Inside messages (results, due timers, cancels) are bounded by what is in flight, are never refused and are taken
  first; doors are bounded and refuse with INTAKE_FULL. So the ring cannot deadlock on itself.
- While an append flushes, the next turn collects; there is one append in flight at a time.
- When an append fails, every run it touched is dropped from memory and loaded again from the journal.

The loop takes messages and has them decided. What is decided goes into the turn by decisions.py; turn_ends.py owns the
turn from its append on; loading.py brings what memory does not hold; holding.py takes out what went wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hostd.aio import Clock
from hostd.engine.decide import NOTHING, decide
from hostd.engine.draft import Decision, Needs, Refused, Stamp
from hostd.errors.base import HostdError
from hostd.journal.port import Journal
from hostd.model.commands import StartAttempt
from hostd.model.messages import Message, SlotFree, Tick
from hostd.runtime.ring.decisions import Decisions
from hostd.runtime.ring.doors import DoorItem, WriteItem
from hostd.runtime.ring.holding import Holding
from hostd.runtime.ring.lanes import Lanes
from hostd.runtime.ring.loading import Loading
from hostd.runtime.ring.metering import RingMeter
from hostd.runtime.ring.ports import Watchers
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.stamps import Stamps
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.turn import Answer, Entry, Resident, Turn
from hostd.runtime.ring.turn_ends import TurnEnds

TURN_MESSAGES_MAX = 2_000
TURN_BYTES_MAX = 4 * 1024 * 1024
TURNS_IN_A_ROW_MAX = 16  # then the event loop gets its say
_TICK = Tick()


class EngineLoop:
    """Owns the runs in memory. Everything here runs on the event loop's thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        residence: Residence,
        slots: Slots,
        timers: Timers,
        lanes: Lanes,
        watchers: Watchers,
        meter: RingMeter,
    ) -> None:
        self.residence = residence
        self.slots = slots
        self.timers = timers
        self.lanes = lanes
        self.watchers = watchers
        self.clock = clock
        self.epoch = 0
        self.turns = 0  # counts; tells whether something was looked at before or after
        self.holding = Holding(
            residence=residence, timers=timers, clock=clock, watchers=watchers, enter=self._enter_anyway
        )
        self._loading = Loading(self, residence, self.holding, clock)
        self.decisions = Decisions(
            journal=journal, residence=residence, gates=slots.gates, timers=timers, held=self._loading.held
        )
        self.ends = TurnEnds(
            self,
            journal=journal,
            residence=residence,
            slots=slots,
            timers=timers,
            lanes=lanes,
            holding=self.holding,
            watchers=watchers,
            meter=meter,
        )
        self._meter = meter
        self._stamps = Stamps(clock)
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[asyncio.Future[None]] = []

    def start_from(self, at_ms: int) -> None:
        """Let time go on from the journal's last record."""
        self._stamps.start_from(at_ms)

    @property
    def unwritable(self) -> HostdError | None:
        """Why nothing can be written just now, whether or not something was tried."""
        return self.ends.unwritable or self.ends.journal.refusing

    @property
    def durable_turns(self) -> int:
        """The number of the last turn that is durable or failed: what the journal shows now."""
        return self.turns if self.ends.flushing is None else self.turns - 1

    async def quiet(self) -> None:
        """Wait until nothing is queued and nothing flushes, or nothing can be written."""
        ends = self.ends
        if ends.unwritable is not None or (ends.flushing is None and not self.lanes.any_waiting()):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(future)
        await future

    def tell_idle(self) -> None:
        """Wake who waits until it is quiet."""
        if self._idle:
            waiting, self._idle = self._idle, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    # -- the ways in: messages about runs go inside and are never refused, the rest comes by a door

    def tell(self, key: int, message: Message) -> None:
        """Put a message on the inside lane."""
        self.lanes.inside.append((key, message, "", None, None))
        self.wake()

    def tell_slot(self, key: int, step: int, alone: bool) -> None:
        """A READY step may start."""
        self.tell(key, SlotFree(step, alone))

    def tick(self, key: int) -> int:
        """Something of a run is due. Returns how much waits to be heard."""
        self.tell(key, _TICK)
        return len(self.lanes.inside) + self.residence.parked

    def ask(
        self, key: int, message: Message, principal: str, note: Callable[[Turn], None] | None = None
    ) -> asyncio.Future[bool]:
        """Put a message of a client on the inside lane; answers, once durable, whether it changed anything.

        Args:
            note: called with the turn where it does, to write a request id beside it.

        The future raises HostdError RUN_MISSING for a run that has ended or is gone, or why nothing was written.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lanes.inside.append((key, message, principal, future, note))
        self.wake()
        return future

    def enter(self, item: DoorItem) -> None:
        """Put something on the doors' lane. Raises HostdError INTAKE_FULL, or why nothing can be written."""
        why = self.ends.unwritable
        if why is not None:
            self.lanes.refused[why.reason] += item.size
            raise why
        self._enter_anyway(item)

    def _enter_anyway(self, item: DoorItem) -> None:
        self.lanes.enter(item)
        self.wake()

    def write(self, fill: Callable[[Turn], Any], *, size: int = 1) -> asyncio.Future[Any]:
        """Have `fill` add rows to the next turn's batch; answers with what it returned once that is durable."""
        item = WriteItem(fill, asyncio.get_running_loop().create_future(), size)
        self.enter(item)
        return item.future

    # -- turns

    def wake(self) -> None:
        """Have what waits be heard soon."""
        ends = self.ends
        if self._scheduled or ends.flushing is not None or ends.unwritable is not None:
            return
        self._scheduled = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self.run)

    def run(self) -> None:
        """Take what waits, for a few turns in a row."""
        self._scheduled = False
        ends = self.ends
        for _ in range(TURNS_IN_A_ROW_MAX):
            if ends.flushing is not None or ends.unwritable is not None or not self.lanes.any_waiting():
                break
            self._turn()
        if ends.flushing is None:
            if self.lanes.any_waiting():
                self.wake()
            else:
                self.tell_idle()

    def _turn(self) -> None:
        self.turns += 1
        turn = Turn(self._stamps.next_ms(), self.epoch, self.slots.permits(), self.clock.monotonic_s())
        stamp = Stamp(turn.batch.at_ms, turn.permits, self._loading.held)
        inside = self.lanes.inside
        most = left = 1 if self.ends.careful else TURN_MESSAGES_MAX
        while left and turn.size_bytes <= TURN_BYTES_MAX:
            left -= 1
            if inside:
                entry = inside.popleft()
                try:
                    self._message(turn, stamp, entry)
                except Exception as error:  # noqa: BLE001 a mistake of ours costs one run's message, not the ring
                    self.drop(entry, self.holding.broke(entry[0], error))
            elif self.lanes.doors:
                self._door(turn)
            else:
                left += 1
                break
        self._meter.decided(turn, most - left)
        self.ends.commit(turn)

    def _door(self, turn: Turn) -> None:
        item = self.lanes.take_door()
        if item.future.done():  # whoever asked has gone away: nothing of it has happened
            return
        try:
            item.enter(turn)
        except HostdError as error:
            turn.answers.append(Answer(item.future, None, error))
        except Exception as error:  # noqa: BLE001 a mistake of ours costs one request, not the ring
            Answer(item.future, None, self.holding.broke(0, error)).give()

    def _message(self, turn: Turn, stamp: Stamp, entry: Entry) -> None:
        key, message, principal, future, note = entry
        resident = self.residence.get(key)
        if resident is None:
            self._loading.load(key, entry)
            return
        if type(message) is SlotFree:
            stamp = self._granted(resident, message, stamp)
        blobs = self._loading.blobs_of(key)
        if blobs is not None:
            stamp = Stamp(stamp.at_ms, stamp.permits, blobs)
        decision = decide(resident.run, message, stamp)
        if type(decision) is not Decision:
            self._not_decided(turn, resident, decision, entry)  # type: ignore[arg-type]
            return
        turn.heard.append(entry)
        if blobs is not None:
            self._loading.settle(entry)
        if decision is not NOTHING:
            self.decisions.take(turn, resident, decision, principal)
            if note is not None:
                note(turn)
        if type(message) is SlotFree:
            started = _starts(decision, message.step)
            self.slots.heard(key, message.step, alone=message.alone, started=started)
        if future is not None:
            turn.answers.append(Answer(future, decision is not NOTHING))

    def _not_decided(self, turn: Turn, resident: Resident, decision: Needs | Refused, entry: Entry) -> None:
        """Fetch what a decision looks into, or tell who asked why the run does not take it."""
        if type(decision) is Needs:
            self._loading.fetch(resident, decision.digests, entry)
            return
        self._loading.settle(entry)
        if entry[3] is not None:
            turn.answers.append(Answer(entry[3], None, decision.error))  # type: ignore[union-attr]

    def _granted(self, resident: Resident, message: SlotFree, stamp: Stamp) -> Stamp:
        """Return the stamp for a step that was told it may start: its place is kept for it."""
        if message.alone:
            return stamp
        action = resident.run.plan.steps[message.step].uses
        return Stamp(stamp.at_ms, self.slots.granted(stamp.permits, action), stamp.blobs)

    # -- what loading answers

    def hear_again(self, entries: list[Entry]) -> None:
        """Take these messages next, in this order."""
        self.lanes.inside.extendleft(reversed(entries))
        self.wake()

    def loaded(self, resident: Resident) -> None:
        """Own a run that was read from the journal."""
        self.decisions.own(resident)

    def drop(self, entry: Entry, error: HostdError) -> None:
        """A message will not be heard: tell who waits, and give back the slot it was about."""
        key, message, _, future, _ = entry
        self._loading.settle(entry)
        if type(message) is SlotFree:
            self.slots.heard(key, message.step, alone=message.alone, started=False)
        if future is not None:
            Answer(future, None, error).give()


def _starts(decision: Decision, step: int) -> bool:
    return any(type(command) is StartAttempt and command.step == step for command in decision.commands)
