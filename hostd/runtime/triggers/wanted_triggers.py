"""Which triggers should live: those of active versions, and those of their own.

All are read once; from then on what was told to have changed, so that one change among ten thousand costs one.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from hostd.definition.plan import Plan, TriggerPlan
from hostd.definition.trigger_document import OwnTrigger, trigger_from_stored
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, OwnTriggerRow, WorkflowRow
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.starts import Ready
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.workflows.workflows import Workflows

_log = logging.getLogger("hostd.runtime")

WORKFLOWS_MAX = 1_000_000
_LASTING = (Kind.INVALID, Kind.MISSING, Kind.STATE, Kind.CORRUPT, Kind.UNSUPPORTED)  # until somebody changes it
Place = tuple[str, str]  # namespace, and the name of a workflow or of a trigger of its own


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
        self._read = False
        self._wanted: dict[Name, Wanted] = {}
        self._names: dict[Place, list[Name]] = {}  # of the triggers of a workflow's active version
        self._targets: dict[Place, Place] = {}  # of triggers of their own
        self._starts: dict[Place, set[Place]] = {}  # triggers of their own, by the workflow that they start
        self._own_changed: set[Place] = set()
        self.touched: set[Name] = set()  # who looks at them takes them out
        self.unread = False  # something could not be read now, and may be soon: somebody has to ask again

    def own_changed(self, namespace: str, name: str) -> None:
        """Take note that a trigger of its own was made, replaced or deleted."""
        self._own_changed.add((namespace, name))

    async def all(self, journal: Journal) -> dict[Name, Wanted]:
        """Return every trigger by its name; not to be changed."""
        workflows, own = self._workflows.take_changed(), self._own_changed
        self._own_changed = set()
        self.unread = False
        try:
            if not self._read:
                workflows, own = await self._read_all(journal)
            else:
                await self._read_changed(journal, workflows, own)
        except BaseException:
            self._look_again(workflows, own)
            raise
        return self._wanted

    async def _read_all(self, journal: Journal) -> tuple[set[Place], set[Place]]:
        rows: list[WorkflowRow] = await self._readers.call(lambda: journal.workflows(None, limit=WORKFLOWS_MAX))
        for row in rows:
            await self._take_version((row.namespace, row.workflow), row)
        for own in await self._readers.call(journal.own_triggers, None):
            await self._take_own((own.namespace, own.name), own)
        self._read = True
        return set(), set()

    async def _read_changed(self, journal: Journal, workflows: set[Place], own: set[Place]) -> None:
        for place in workflows:
            await self._take_version(place, await self._readers.call(journal.workflow, *place))
            own = own | self._starts.get(place, set())
        for place in own:
            rows = await self._readers.call(journal.own_triggers, *place)
            await self._take_own(place, rows[0] if rows else None)

    def _look_again(self, workflows: set[Place], own: set[Place]) -> None:
        """What was not taken in is looked at the next time."""
        self._own_changed |= own
        self._workflows.put_back(workflows)

    async def _take_version(self, place: Place, row: WorkflowRow | None) -> None:
        """Take in what a workflow's active version has of triggers, none where there is none."""
        found: dict[Name, Wanted] = {}
        if row is not None and row.active:
            try:
                ready = await self._workflows.plans.resolve(row.namespace, row.workflow, row.active)
            except HostdError as error:
                _log.error("trigger_plan_failed workflow=%s error=%s", row.workflow, error)
                if error.kind not in _LASTING:
                    self.unread = True
                    self._look_again({place}, set())
                    return  # what lives goes on until then
            else:
                found = {
                    (*place, plan.name): Wanted(
                        ready, plan, row.activated_at_ms, row.activated_event, ready.plan.digest
                    )
                    for plan in ready.plan.triggers
                }
        for name in self._names.pop(place, ()):
            del self._wanted[name]
            self.touched.add(name)
        self._wanted |= found
        self.touched |= found.keys()
        if found:
            self._names[place] = list(found)

    async def _take_own(self, place: Place, row: OwnTriggerRow | None) -> None:
        """Take in a trigger of its own, None for one that is deleted."""
        before = self._targets.pop(place, None)
        if before is not None:
            self._starts[before].discard(place)
            if not self._starts[before]:
                del self._starts[before]
        name = (place[0], "", place[1])
        self.touched.add(name)
        found = await self._of_its_own(row) if row is not None else None
        if found is None:
            self._wanted.pop(name, None)
        else:
            self._wanted[name] = found

    async def _of_its_own(self, row: OwnTriggerRow) -> Wanted | None:
        try:
            own = trigger_from_stored(row.document)
        except HostdError as error:
            _log.error("trigger_plan_failed trigger=%s error=%s", row.name, error)
            return None
        place, target = (row.namespace, row.name), (row.namespace, own.workflow)
        self._targets[place] = target
        self._starts.setdefault(target, set()).add(place)
        ready, missing = await self.target(row.namespace, own)
        if missing is not None and missing.kind not in _LASTING:
            self.unread = True
            self._look_again(set(), {place})
        digest = row.digest if missing is None else row.digest + b"missing"
        return Wanted(ready, own.plan, row.applied_at_ms, row.applied_event, digest, own.target, missing)

    async def target(self, namespace: str, own: OwnTrigger) -> tuple[Ready, HostdError | None]:
        """Return what a trigger of its own starts now; a plan of nothing, and why, where there is none."""
        try:
            return await self._workflows.plans.resolve(namespace, own.workflow, own.version), None
        except HostdError as error:
            return Ready(_nothing(own.workflow)), error


def _nothing(workflow: str) -> Plan:
    """Return the plan of a workflow that cannot be started."""
    return Plan(
        workflow=workflow, version="", digest=b"", document=b"{}", steps=(), body_count=0, index={}, handlers={}
    )
