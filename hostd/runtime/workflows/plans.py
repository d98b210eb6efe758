"""Compiled plans of registered versions: each is read and compiled once, and kept while it is used."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakValueDictionary

import msgspec

from hostd.definition.compile import plan_from_stored
from hostd.definition.plan import Plan
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, RunRow
from hostd.model.states import run_is_final
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.starts import Ready
from hostd.runtime.workflows.kept_documents import KeptDocuments

PLANS_MAX = 1_000


class PlanShelf:
    """Plans by namespace, workflow and version, and which version is the active one."""

    def __init__(self, journal: Journal, readers: Readers) -> None:
        self._journal = journal
        self._readers = readers
        self._kept = KeptDocuments(journal)
        self._plans: OrderedDict[tuple[str, str, str], Ready] = OrderedDict()
        self._alive: WeakValueDictionary[tuple[str, str, str], Ready] = WeakValueDictionary()  # who is held elsewhere
        self._active: dict[tuple[str, str], str] = {}

    def get(self, namespace: str, workflow: str, version: str) -> Plan:
        """Return a version's plan. Blocks. Raises HostdError VERSION_MISSING."""
        return self._ready(namespace, workflow, version).plan

    def of_run(self, row: RunRow) -> Plan:
        """Return the plan a run was started with; a deleted version's is kept for it. Blocks.

        Raises:
            HostdError: VERSION_MISSING.
        """
        if not run_is_final(row.state):
            return self.get(row.namespace, row.workflow, row.version)
        digest = self._kept.digest(row)
        try:
            plan = self.get(row.namespace, row.workflow, row.version)
        except HostdError as error:
            if error.reason != "VERSION_MISSING":
                raise
            kept = self._kept.plan(row, digest)
            if kept is None:
                raise
            return kept
        if digest in (b"", plan.digest):
            return plan
        return self._kept.plan(row, digest) or plan  # the number was taken again by another document

    async def resolve(self, namespace: str, workflow: str, version: str = "") -> Ready:
        """Return the named version, else the active one.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, WORKFLOW_INACTIVE.
        """
        wanted = version or self._active.get((namespace, workflow), "")
        ready = self._held((namespace, workflow, wanted)) if wanted else None
        if ready is not None:
            return ready
        wanted = wanted or await self._look_for_active(namespace, workflow)
        try:
            return await self._readers.call(self._ready, namespace, workflow, wanted)
        except HostdError as error:
            if error.reason != "VERSION_MISSING":
                raise
            if await self._readers.call(self._journal.workflow, namespace, workflow) is None:
                raise workflow_missing(workflow) from None
            raise

    async def _look_for_active(self, namespace: str, workflow: str) -> str:
        row = await self._readers.call(self._journal.workflow, namespace, workflow)
        if row is None:
            raise workflow_missing(workflow)
        if not row.active:
            message = f"the workflow {workflow} has no active version; activate one, or name one"
            raise HostdError(Kind.STATE, "WORKFLOW_INACTIVE", message)
        self._active[namespace, workflow] = row.active
        return row.active

    def _held(self, key: tuple[str, str, str]) -> Ready | None:
        return self._plans.get(key) or self._alive.get(key)

    def _ready(self, namespace: str, workflow: str, version: str) -> Ready:
        key = (namespace, workflow, version)
        ready = self._held(key)
        if ready is None:
            row = self._journal.version(namespace, workflow, version)
            if row is None:
                raise version_missing(workflow, version)
            plan = msgspec.structs.replace(plan_from_stored(row.document), version=version)
            ready = self._keep(key, plan)
        return ready

    def _keep(self, key: tuple[str, str, str], plan: Plan) -> Ready:
        ready = self._plans[key] = self._alive[key] = Ready(plan)
        while len(self._plans) > PLANS_MAX:
            self._plans.popitem(last=False)
        return ready

    # -- what was written

    def add(self, namespace: str, plan: Plan) -> None:
        """Keep a plan that is in no journal, as the active one (a host that runs one document and forgets it)."""
        self.keep(namespace, plan)
        self.activate(namespace, plan.workflow, plan.version)

    def keep(self, namespace: str, plan: Plan) -> None:
        """Keep the plan of a version that was registered."""
        self._keep((namespace, plan.workflow, plan.version), plan)

    def activate(self, namespace: str, workflow: str, version: str) -> None:
        """Take note of the active version, empty for none."""
        if version:
            self._active[namespace, workflow] = version
        else:
            self._active.pop((namespace, workflow), None)

    def forget(self, namespace: str, workflow: str, version: str) -> None:
        """A version was deleted."""
        self._plans.pop((namespace, workflow, version), None)
        self._alive.pop((namespace, workflow, version), None)


def workflow_missing(workflow: str) -> HostdError:
    """Return the error for a name nobody registered."""
    return HostdError(
        Kind.MISSING, "WORKFLOW_MISSING", f"there is no workflow {workflow!r}", details={"workflow": workflow}
    )


def version_missing(workflow: str, version: str) -> HostdError:
    """Return the error for a version that is not registered."""
    message = f"the workflow {workflow} has no version {version}; `hostd workflow versions {workflow}` lists them"
    details = {"workflow": workflow, "version": version}
    return HostdError(Kind.MISSING, "VERSION_MISSING", message, details=details)
