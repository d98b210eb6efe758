"""A core with its journal, for tests: register, start, wait for ends, read histories, restart."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hostd.aio import Clock
from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError
from hostd.host.process import hearing
from hostd.journal.codec import decode_records
from hostd.journal.port import Journal, RunRow
from hostd.model.ids import stored_id
from hostd.model.messages import Message
from hostd.model.records import AnyRecord
from hostd.model.states import run_is_final
from hostd.runtime.ring.intake import Started
from hostd.runtime.triggers.trigger_live import Live

HARMFUL = {"plugins": {"settings": {"mock": {"harmful": True}}}}
NAMESPACE = "default"
hearing.FIRST_WORD_S, hearing.FIRST_WORDS_S = 60.0, 200.0  # a slow machine is no plugin that hangs


class Lab:
    """One core at a time; `restart` closes it and opens the next on the same journal."""

    def __init__(self, data: Path | None, *, clock: Clock | None = None, **config: Any) -> None:
        self._data = data
        self._clock = clock
        self.config = Config.model_validate(HARMFUL | config)
        self.core = self._build()

    def _build(self, journal: Journal | None = None) -> Core:
        """Build a core, in memory on the journal of the one before: it would find a file by itself."""
        kept = journal if self._data is None else None
        return Core(self.config, data=self._data, journal=kept, clock=self._clock, dice=random.Random(7))

    async def open(self) -> Lab:
        """Open the core."""
        if self._data is not None:
            await asyncio.to_thread(self._data.mkdir, exist_ok=True)
        await self.core.open()
        await self._hear()
        return self

    async def _hear(self) -> None:
        """Wait for what plugins say that were found at the start: tests look at them right away."""
        if (heard := self.core.host.coming.heard) is not None:
            await asyncio.wait([heard])

    async def close(self) -> None:
        """Close the core."""
        await self.core.triggers.stop()
        await self.core.close()

    async def restart(self, **config: Any) -> None:
        """Close, and open anew on the same journal."""
        await self.close()
        if config:
            self.config = Config.model_validate(config)
        await self.again()

    async def again(self) -> None:
        """Open anew on the same journal, what was closed before."""
        self.core = self._build(self.core.journal)
        await self.core.open()
        await self._hear()

    # -- doing

    async def register(self, text: str) -> str:
        """Register and activate a document; return the workflow's name."""
        registered = await self.core.workflows.register(NAMESPACE, text.encode(), activate=True, principal="lab")
        return registered.workflow.workflow

    async def try_start(self, workflow: str, value: Any = None, count: int = 1, **fields: Any) -> list[Any]:
        """Start runs in one go; return what each became, errors included."""
        ready = await self.core.workflows.plans.resolve(NAMESPACE, workflow)
        data = msgspec.json.encode(value) if value is not None else b""
        now_ms = self.core.clock.wall_ms()
        made = [
            self.core.starts.prepare(ready, namespace=NAMESPACE, input_json=data, now_ms=now_ms, **fields)
            for _ in range(count)
        ]
        return list(await self.core.intake.start(made))

    async def start(self, workflow: str, value: Any = None, **fields: Any) -> Started:
        """Start a run. Raises HostdError."""
        [result] = await self.try_start(workflow, value, **fields)
        if isinstance(result, HostdError):
            raise result
        assert isinstance(result, Started)
        return result

    async def run(self, text: str, value: Any = None) -> tuple[RunRow, list[AnyRecord]]:
        """Register, start, wait for the end; return the run's row and its history."""
        started = await self.start(await self.register(text), value)
        row = await self.ended(started)
        return row, self.records(started)

    async def ask(self, started: Started, message: Message) -> bool:
        """Send a message as a client would; return whether it changed anything."""
        return await self.core.loop.ask(started.key, message, "lab")

    # -- seeing

    def row(self, started: Started) -> RunRow:
        """Return a run's row."""
        row = self.core.journal.find_run(NAMESPACE, stored_id(started.run_id))
        assert row is not None
        return row

    def records(self, started: Started) -> list[AnyRecord]:
        """Return a run's history."""
        rows = self.core.journal.history(started.key, max_bytes=1 << 30)
        return [record for row in rows for record in decode_records(row.body)]

    async def ended(self, *all_started: Started) -> RunRow:
        """Wait until runs are final; return the row of the last."""
        hub = self.core.hub
        ends = [(started.key, hub.end_of(started.key)) for started in all_started]
        states = self.states()
        for key, end in ends:
            if not run_is_final(states[key]):
                await end
            hub.forget_end(key, end)
        return self.row(all_started[-1])

    def states(self) -> dict[int, int]:
        """Return the state of every run by its key."""
        return {row.run: row.state for row in self.runs()}

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, looking again whenever something happened."""
        while not (found := condition()):
            await asyncio.sleep(0.001)
        return found

    async def running(self, count: int = 1) -> None:
        """Wait until so many attempts wait."""
        await self.until(lambda: self.core.effects.in_flight >= count)

    def trigger(self, workflow: str, name: str) -> Live:
        """Return a live trigger."""
        return self.core.triggers.get((NAMESPACE, workflow, name))

    def runs(self) -> list[RunRow]:
        """Return every run."""
        from hostd.journal.port import RunQuery

        return self.core.journal.query_runs(RunQuery(NAMESPACE, limit=100_000))


def of_kind(records: list[AnyRecord], kind: type[Any]) -> list[Any]:
    """Return the records of one kind."""
    return [record for record in records if isinstance(record, kind)]
