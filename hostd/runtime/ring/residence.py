"""Which runs are in memory: what moves stays, what only waits leaves after a minute, a message loads it again."""

from __future__ import annotations

from collections.abc import Container, Sequence

from hostd.aio import Clock
from hostd.engine.state import Run
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, RunRow
from hostd.model.ids import text_id
from hostd.model.states import RunState, StepState, run_is_final
from hostd.runtime.ports import Plans
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.snapshots import read_run
from hostd.runtime.ring.turn import Entry, Resident

RUNS_IN_MEMORY = 10_000
IDLE_S = 60.0


class Residence:
    """The runs in memory, and how they come and go."""

    def __init__(
        self, *, journal: Journal, readers: Readers, plans: Plans, clock: Clock, runs_max: int = RUNS_IN_MEMORY
    ) -> None:
        self._journal = journal
        self._readers = readers
        self._plans = plans
        self._clock = clock
        self.runs_max = runs_max  # may change; the next sweep keeps to it
        self._runs: dict[int, Resident] = {}
        self._parked: dict[int, list[Entry]] = {}
        self._pinned: dict[int, int] = {}
        self.flushing: Container[int] = ()  # runs whose last decision is not durable yet

    def __len__(self) -> int:
        return len(self._runs)

    def get(self, key: int) -> Resident | None:
        """Return a run that is in memory."""
        return self._runs.get(key)

    def all(self) -> list[Resident]:
        """Return the runs in memory."""
        return list(self._runs.values())

    def add(self, resident: Resident) -> None:
        """Take a run in."""
        resident.used_s = self._clock.monotonic_s()
        self._runs[resident.key] = resident

    def remove(self, key: int) -> None:
        """Let a run go; the journal has it."""
        self._runs.pop(key, None)

    def park(self, key: int, entry: Entry) -> bool:
        """Keep a message until its run is loaded. Returns True for the first, which starts the loading."""
        entries = self._parked.get(key)
        if entries is not None:
            entries.append(entry)
            return False
        self._parked[key] = [entry]
        return True

    @property
    def parked(self) -> int:
        """Runs that are being loaded."""
        return len(self._parked)

    def unpark(self, key: int) -> list[Entry]:
        """Return the messages that waited for a run, in order."""
        return self._parked.pop(key, [])

    def pin(self, key: int) -> None:
        """Keep a run in memory, as often as it is not unpinned."""
        self._pinned[key] = self._pinned.get(key, 0) + 1

    def unpin(self, key: int) -> None:
        """Take back one pin."""
        count = self._pinned.get(key, 0) - 1
        if count > 0:
            self._pinned[key] = count
        else:
            self._pinned.pop(key, None)

    async def load(self, key: int) -> Resident | None:
        """Return a live run from the journal; None when it is final, held or gone. Raises what reading it raises."""
        return await self._readers.call(self._read, key)

    async def load_rows(self, rows: Sequence[RunRow]) -> list[Resident | HostdError]:
        """Return live runs from the journal in one go, or for each why it cannot be read."""
        return await self._readers.call(lambda: [self._fold(row) for row in rows])

    def _fold(self, row: RunRow) -> Resident | HostdError:
        try:
            return self._resident(row)
        except HostdError as error:
            return error

    async def blob(self, namespace: str, digest: bytes) -> bytes:
        """Return a blob's bytes. Raises HostdError BLOB_MISSING."""
        blob = await self._readers.call(self._journal.blob, namespace, digest)
        if blob is None:
            raise HostdError(Kind.CORRUPT, "BLOB_MISSING", f"the journal has no blob {digest.hex()}")
        return blob.data

    def _read(self, key: int) -> Resident | None:
        row = self._journal.run_row(key)
        if row is None or run_is_final(row.state) or row.state == RunState.HELD:
            return None
        return self._resident(row)

    def _resident(self, row: RunRow) -> Resident:
        try:
            run, distance, has_snapshot = read_run(self._journal, self._plans, row)
        except HostdError as error:
            error.details.setdefault("run_id", text_id(row.run_id))
            raise
        resident = Resident(row.run, row.namespace, run, stored_state=row.state, due_at_ms=row.due_at_ms)
        resident.to_snapshot = distance
        resident.has_snapshot = has_snapshot
        if any(active.attempt for active in run.active.values()):
            resident.progress = self._journal.progress(row.run)
        return resident

    def sweep(self) -> int:
        """Let idle runs go, and the least recently used above the bound; return how many went."""
        idle_since_s = self._clock.monotonic_s() - IDLE_S
        excess = len(self._runs) - self.runs_max
        gone: list[int] = []
        for resident in sorted(self._runs.values(), key=lambda resident: resident.used_s):
            if resident.used_s > idle_since_s and len(gone) >= excess:
                break
            if self._may_go(resident):
                gone.append(resident.key)
        for key in gone:
            del self._runs[key]
        return len(gone)

    def _may_go(self, resident: Resident) -> bool:
        key = resident.key
        return key not in self._pinned and key not in self.flushing and rests(resident.run)


def rests(run: Run) -> bool:
    """Say whether a run only waits: nothing of it is in flight. What it waits for, slots and timers remember."""
    return all(run.states[step] != StepState.RUNNING for step in run.active)
