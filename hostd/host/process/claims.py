"""Who waits for which attempt of a process, what the process says it holds, and what is lost when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.host.lost import AttemptLostError
from hostd.host.process.alone import Suspects
from hostd.host.process.held import Held, Key, key_of
from hostd.plugin.v1 import host_pb2 as pb


class Claims:
    """The attempts of one process. `held` is shared with the desk that answers for them.

    `recovered`: nobody comes any more to claim what a process holds since before this daemon.
    """

    def __init__(self, held: dict[Key, Held], suspects: Suspects) -> None:
        self.suspects = suspects
        self.recovered = False
        self._kept: set[Key] = set()  # outcomes that came and are not durable yet: the process holds them, rightly
        self._held = held
        self._unclaimed: set[Key] = set()
        self._outcomes: dict[Key, pb.Outcome] = {}  # came before recovery asked for them
        self._decided = asyncio.Event()  # pulsed when something is claimed, or nobody will

    @property
    def any(self) -> bool:
        """Whether the process has, or may have, anything to do."""
        return bool(self._held or self._unclaimed)

    def said(self, running: Iterable[pb.AttemptId]) -> None:
        """A child that dialed has named what it holds; what this daemon waits for beyond that is lost."""
        held = {key_of(attempt_id) for attempt_id in running}
        self._unclaimed = held - self._held.keys() - self._kept
        for key, waiting in self._held.items():
            if key not in held and not waiting.answer.done():
                waiting.answer.set_exception(AttemptLostError())

    def claimed(self, key: Key) -> bool:
        """Say whether the process says it holds an attempt that this daemon has not begun."""
        return key in self._unclaimed

    async def settled(self, key: Key) -> None:
        """Wait while recovery may still come to claim an attempt: it asks for things the moment it is connected."""
        while key in self._unclaimed:
            await self._decided.wait()

    def _pulse(self) -> None:
        decided, self._decided = self._decided, asyncio.Event()
        decided.set()

    def hold(self, attempt_id: pb.AttemptId, context: Any) -> Held:
        """Wait for an attempt's outcome from now on; one that came already is there at once."""
        held = Held(attempt_id, context)
        self._held[held.key] = held
        self._unclaimed.discard(held.key)
        self._pulse()
        outcome = self._outcomes.pop(held.key, None)
        if outcome is not None:
            self._kept.add(held.key)
            held.answer.set_result(outcome)
        return held

    def let_go(self, held: Held) -> None:
        """Wait no more."""
        if self._held.get(held.key) is held:
            del self._held[held.key]

    def came(self, outcome: pb.Outcome) -> bool:
        """Take an outcome; say whether anybody waits, or may come to wait, for it."""
        key = key_of(outcome.id)
        held = self._held.get(key)
        if held is None and key in self._unclaimed:
            self._outcomes[key] = outcome
            return True
        if held is None or held.id.epoch != outcome.id.epoch:
            return False
        self._kept.add(key)
        if not held.answer.done():
            held.answer.set_result(outcome)
        return True

    def recorded(self, attempt_id: pb.AttemptId) -> None:
        """An outcome is durable, or of no use."""
        self._kept.discard(key_of(attempt_id))

    def unclaimed(self) -> list[pb.AttemptId]:
        """Recovery is over: return what the process holds and nobody waits for, and forget it."""
        self.recovered = True
        left = [pb.AttemptId(run_id=run_id, step=step, attempt=attempt) for run_id, step, attempt in self._unclaimed]
        self._unclaimed.clear()
        self._outcomes.clear()
        self._pulse()
        return left

    def lose_all(self, why: str = "") -> None:
        """The process is gone, and what it held with it; `why` as far as that is known."""
        self._unclaimed.clear()
        self._outcomes.clear()
        self._kept.clear()
        self._pulse()
        guilty = self.suspects.lost({held.place for held in self._held.values()})
        for held in list(self._held.values()):
            if not held.answer.done():
                held.answer.set_exception(_loss(why) if held.place in guilty else AttemptLostError())


def _loss(why: str) -> HostdError:
    message = "the plugin's process died each time this step ran, the last time while nothing else did"
    return HostdError(Kind.STATE, "ATTEMPT_LOST", f"{message}: {why}" if why else message)
