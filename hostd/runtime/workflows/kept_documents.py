"""Documents of deleted versions, kept for the runs that ended under them, until the last of those is gone.

A document is a value like others: stored once by its digest, and held by each run that refers to it. A run's first
record names the digest, so its steps keep their names whatever becomes of the version's number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from hostd.definition.compile import plan_from_stored
from hostd.definition.plan import Plan
from hostd.journal.codec import decode_records
from hostd.journal.port import Blob, Journal, RunQuery, RunRow, WorkflowVersion
from hostd.model.filters import And, Compare
from hostd.model.records import RunStarted
from hostd.model.states import RunState
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn

RUNS_A_WRITE = 1_000
BYTES_A_WRITE = 4 * 1024 * 1024  # a document is bound once for each run
PLANS_MAX = 100


class KeptDocuments:
    """Plans by the digest that a run's first record names. Reading blocks; for reader threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._plans: OrderedDict[tuple[str, bytes, str], Plan] = OrderedDict()

    def digest(self, row: RunRow) -> bytes:
        """Return the digest of the document a run was started with, empty when its first record is not there."""
        rows = self._journal.history(row.run, max_bytes=1)
        first = next(iter(decode_records(rows[0].body)), None) if rows and rows[0].seq == 0 else None
        return first.digest if isinstance(first, RunStarted) else b""

    def plan(self, row: RunRow, digest: bytes) -> Plan | None:
        """Return the plan of a document that is kept, None where it is not. Raises what reading it raises."""
        key = (row.namespace, digest, row.version)
        plan = self._plans.get(key)
        if plan is None:
            blob = self._journal.blob(row.namespace, digest)
            if blob is None:
                return None
            plan = msgspec.structs.replace(plan_from_stored(blob.data), version=row.version)
            self._plans[key] = plan
            while len(self._plans) > PLANS_MAX:
                self._plans.popitem(last=False)
        return plan


async def keep_documents(
    versions: Sequence[WorkflowVersion], *, loop: EngineLoop, journal: Journal, readers: Readers
) -> None:
    """Have every finished run of these versions hold its document, in small writes, before the versions go."""
    for version in versions:
        before = 0
        limit = max(1, min(RUNS_A_WRITE, BYTES_A_WRITE // max(1, len(version.document))))
        while True:
            query = RunQuery(version.namespace, _finished_of(version), before, limit)
            rows = await readers.call(journal.query_runs, query)
            if rows:
                await _keep(version, [row.run for row in rows], loop=loop, journal=journal, readers=readers)
            if len(rows) < limit:
                break
            before = rows[-1].run


def _finished_of(version: WorkflowVersion) -> And:
    return And(
        (
            Compare("workflow", "=", version.workflow),
            Compare("version", "=", version.version),
            Compare("state", ">=", int(RunState.SUCCEEDED)),
        )
    )


async def _keep(
    version: WorkflowVersion, runs: list[int], *, loop: EngineLoop, journal: Journal, readers: Readers
) -> None:
    def fill(turn: Turn) -> None:
        turn.batch.blobs += [Blob(version.namespace, version.digest, version.document, run) for run in runs]

    await loop.write(fill)
    left = await readers.call(lambda: [run for run in runs if journal.run_row(run) is None])
    if left:  # retention took them meanwhile: nothing may hold the document for them
        await loop.write(lambda turn: turn.batch.run_deletes.extend(left))
