"""The read side of runs: the last durable view, from the journal; reading never enters the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from hostd.aio import Clock
from hostd.definition.plan import Plan
from hostd.errors.base import HostdError, Kind
from hostd.journal.logs import AttemptLogs
from hostd.journal.port import Journal, RunQuery, RunRow
from hostd.model.filters import Filter
from hostd.model.ids import stored_id, text_id
from hostd.model.requests import RunList, RunRef
from hostd.model.states import RunState, run_is_final
from hostd.model.views import BlobView, LogView, RunRecords, RunView
from hostd.runtime.ports import LiveLogs, Plans
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.held import HeldRuns
from hostd.runtime.ring.intake import Intake
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.starts import StartMaker
from hostd.runtime.runs.deliveries import Deliveries
from hostd.runtime.runs.run_views import items_of, plain_view, row_view
from hostd.runtime.runs.story import Stories
from hostd.runtime.runs.watch import Hub
from hostd.runtime.workflows.workflows import Workflows

T = TypeVar("T")


class RunRooms(NamedTuple):
    """What serving runs needs of the rest.

    `log_files` None: nothing is kept. `log_flush` returns when it is written.
    """

    journal: Journal
    readers: Readers
    loop: EngineLoop
    intake: Intake
    starts: StartMaker
    workflows: Workflows
    hub: Hub
    clock: Clock
    held: HeldRuns
    deliveries: Deliveries
    log_files: AttemptLogs | None = None
    cancel_grace_ms: Callable[[], int] = lambda: 30_000
    log_flush: Callable[[], None] = lambda: None
    live_logs: LiveLogs | None = None


class RunReads:
    """Seeing runs."""

    def __init__(self, rooms: RunRooms) -> None:
        self._rooms = rooms
        self._journal = rooms.journal
        self._read = rooms.readers.call
        self._stories = Stories(rooms.journal)

    async def find(self, namespace: str, ref: RunRef) -> RunRow:
        """Return a run's index row. Raises RUN_MISSING."""
        return await self._read(self._find, namespace, ref)

    def _find(self, namespace: str, ref: RunRef) -> RunRow:
        if ref.run_id:
            row = self._journal.find_run(namespace, stored_id(ref.run_id))
        else:
            row = self._journal.newest_run(namespace, ref.workflow, ref.key)
        if row is None:
            raise run_missing(ref)
        return row

    async def get(self, namespace: str, ref: RunRef) -> RunView:
        """Return a whole run. Raises RUN_MISSING."""
        return await self._read(lambda: self._whole(self._find(namespace, ref), self._view_of))

    def _whole(self, row: RunRow, read: Callable[[RunRow], T]) -> T:
        """Return what is read of a run. Raises RUN_MISSING where retention took it meanwhile: it may be a part."""
        try:
            found = read(row)
        except HostdError:
            self._require(row)
            raise
        self._require(row)
        return found

    def _require(self, row: RunRow) -> None:
        if run_is_final(row.state):  # no other goes
            now = self._journal.run_row(row.run)
            if now is None or now.run_id != row.run_id:
                raise run_missing(RunRef(text_id(row.run_id)))

    def _view_of(self, row: RunRow) -> RunView:
        """Return the whole run; what can be said without steps where its document is gone, or it is held."""
        plan = self._plan(row)
        if plan is None or row.state == RunState.HELD:
            return plain_view(self._journal, row)
        return self._stories.view(plan, row)

    def _plan(self, row: RunRow) -> Plan | None:
        """Return a run's plan; None where its document is gone, or cannot be compiled any more."""
        try:
            return self._plans.of_run(row)
        except HostdError as error:
            if error.reason in ("VERSION_MISSING", "DOCUMENT_INVALID"):
                return None
            raise

    @property
    def _plans(self) -> Plans:
        return self._rooms.workflows.plans

    async def list(self, namespace: str, page: RunList) -> list[RunView]:
        """Return a page of runs."""
        query = RunQuery(namespace, page.filter, page.after, page.limit, page.ascending)
        rows = await self._read(self._journal.query_runs, query)
        return [row_view(row) for row in rows]

    async def count(self, namespace: str, tree: Filter | None) -> int:
        """Return how many runs match."""
        return await self._read(self._journal.count_runs, RunQuery(namespace, tree))

    async def history(self, namespace: str, ref: RunRef, *, from_seq: int, max_bytes: int) -> RunRecords:
        """Return records from `from_seq` on. Raises RUN_MISSING, RECORD_*."""
        return await self._read(lambda: self._records(self._find(namespace, ref), from_seq, max_bytes))

    def _records(self, row: RunRow, from_seq: int, max_bytes: int) -> RunRecords:
        return self._whole(row, lambda row: self._records_of(row, from_seq, max_bytes))

    def _records_of(self, row: RunRow, from_seq: int, max_bytes: int) -> RunRecords:
        plan = self._plan(row)
        steps = tuple(step.id for step in plan.steps) if plan is not None else ()
        rows = self._journal.history(row.run, from_seq=from_seq, max_bytes=max_bytes)
        if not rows:
            return RunRecords(steps, [], from_seq)
        next_seq = rows[-1].seq + rows[-1].n
        more = bool(self._journal.history(row.run, from_seq=next_seq, max_bytes=1))
        return RunRecords(steps, items_of(rows, from_seq), next_seq, more)

    async def logs(self, namespace: str, ref: RunRef, *, step: str, attempt: int) -> Sequence[LogView]:
        """Return what attempts logged, in the order of their first lines, of one millisecond in the plan's.

        Raises:
            HostdError: RUN_MISSING.
        """
        row = await self.find(namespace, ref)
        files = self._rooms.log_files
        if files is None:
            return ()
        run_id = text_id(row.run_id)
        found = await self._read(lambda: list(files.read(run_id, step or None, attempt or None)))
        plan = await self._read(self._plan, row)
        places = {step.id: at for at, step in enumerate(plan.steps)} if plan is not None else {}
        found.sort(key=lambda log: (_first_time(log.lines), places.get(log.step, 0)))
        return [LogView(log.step, log.attempt, log.lines) for log in found]

    async def blob(self, namespace: str, digest: bytes) -> BlobView:
        """Return a value. Raises BLOB_MISSING."""
        blob = await self._read(self._journal.blob, namespace, digest)
        if blob is None:
            message = f"there is no blob {digest.hex()} in the namespace"
            raise HostdError(Kind.MISSING, "BLOB_MISSING", message, details={"digest": digest.hex()})
        return BlobView(blob.data, blob.content_type)


def run_missing(ref: RunRef) -> HostdError:
    """Return the error for a run that is not there."""
    if ref.run_id:
        details = {"run_id": ref.run_id}
        return HostdError(Kind.MISSING, "RUN_MISSING", f"there is no run {ref.run_id}", details=details)
    message = f"there is no run of {ref.workflow} with the key {ref.key!r}"
    return HostdError(Kind.MISSING, "RUN_MISSING", message, details={"workflow": ref.workflow, "key": ref.key})


def run_held(row: RunRow, why: HostdError | None = None) -> HostdError:
    """Return the error for asking something of a run that nothing moves any more; `why`: what a new try said."""
    run_id, reason = text_id(row.run_id), row.reason if why is None else why.reason
    said = "" if why is None else f" ({why.message})"
    message = f"the run {run_id} is HELD: {reason}{said}; `hostd explain {reason}` says what to do"
    return HostdError(Kind.STATE, "RUN_STATE", message, details={"run_id": run_id, "state": "HELD", "held": reason})


def _first_time(lines: Sequence[str]) -> str:
    """Return when the first of some lines was logged: a line begins with its time."""
    return lines[0].partition(" ")[0] if lines else ""
