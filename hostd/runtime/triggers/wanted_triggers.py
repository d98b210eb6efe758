"""Which triggers should live: those of active versions, and those of their own."""

from __future__ import annotations

import logging
from typing import NamedTuple

from hostd.definition.plan import Plan, TriggerPlan
from hostd.definition.trigger_document import OwnTrigger, trigger_from_stored
from hostd.errors.base import HostdError
from hostd.journal.port import Journal, OwnTriggerRow, WorkflowRow
from hostd.runtime.ring.readers import Readers
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.workflows.workflows import Ready, Workflows

_log = logging.getLogger("hostd.runtime")

WORKFLOWS_MAX = 1_000_000


class Wanted(NamedTuple):
    """A trigger that should live; see Live. `begins`: see Source."""

    ready: Ready
    plan: TriggerPlan
    since_ms: int
    begins: int
    digest: bytes
    target: str = ""
    missing: HostdError | None = None


class WantedTriggers:
    """Reads the journal for what should live."""

    def __init__(self, *, workflows: Workflows, readers: Readers) -> None:
        self._workflows = workflows
        self._readers = readers

    async def all(self, journal: Journal) -> dict[Name, Wanted]:
        """Return every trigger by its name."""
        wanted: dict[Name, Wanted] = {}
        rows: list[WorkflowRow] = await self._readers.call(lambda: journal.workflows(None, limit=WORKFLOWS_MAX))
        for row in rows:
            if row.active:
                await self._of_version(row, wanted)
        for own in await self._readers.call(journal.own_triggers, None):
            found = await self._of_its_own(own)
            if found is not None:
                wanted[own.namespace, "", own.name] = found
        return wanted

    async def _of_version(self, row: WorkflowRow, wanted: dict[Name, Wanted]) -> None:
        try:
            ready = await self._workflows.resolve(row.namespace, row.workflow, row.active)
        except HostdError as error:
            _log.error("trigger_plan_failed workflow=%s error=%s", row.workflow, error)
            return
        for plan in ready.plan.triggers:
            found = Wanted(ready, plan, row.activated_at_ms, row.activated_event, ready.plan.digest)
            wanted[row.namespace, row.workflow, plan.name] = found

    async def _of_its_own(self, row: OwnTriggerRow) -> Wanted | None:
        try:
            own = trigger_from_stored(row.document)
        except HostdError as error:
            _log.error("trigger_plan_failed trigger=%s error=%s", row.name, error)
            return None
        ready, missing = await self.target(row.namespace, own)
        digest = row.digest if missing is None else row.digest + b"missing"
        return Wanted(ready, own.plan, row.applied_at_ms, row.applied_event, digest, own.target, missing)

    async def target(self, namespace: str, own: OwnTrigger) -> tuple[Ready, HostdError | None]:
        """Return what a trigger of its own starts now; a plan of nothing, and why, where there is none."""
        try:
            return await self._workflows.resolve(namespace, own.workflow, own.version), None
        except HostdError as error:
            return Ready(_nothing(own.workflow)), error


def _nothing(workflow: str) -> Plan:
    """Return the plan of a workflow that cannot be started."""
    return Plan(
        workflow=workflow, version="", digest=b"", document=b"{}", steps=(), body_count=0, index={}, handlers={}
    )
