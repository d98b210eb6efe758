"""Registered workflows: versions are immutable, one is active; compiled plans are kept while they are used."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

import msgspec

from hostd.aio import to_its_end
from hostd.definition.compile import compile_document, compile_text, plan_from_stored
from hostd.definition.document import load_documents
from hostd.definition.plan import Plan
from hostd.definition.ports import Catalogue, CodeCheck
from hostd.definition.trigger_document import trigger_from_stored
from hostd.errors.base import HostdError, Kind, invalid
from hostd.journal.port import Journal, OwnTriggerRow, RunQuery, RunRow, WorkflowRow, WorkflowVersion
from hostd.model.filters import And, Compare, Filter
from hostd.model.states import RunState, run_is_final
from hostd.runtime.ports import Arrivals
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.starts import Ready
from hostd.runtime.workflows.kept_documents import KeptDocuments, keep_documents
from hostd.runtime.workflows.noting_catalogue import NotingCatalogue

PLANS_MAX = 1_000
T = TypeVar("T")


class Registered(msgspec.Struct, frozen=True):
    """What registering did."""

    row: WorkflowVersion
    workflow: WorkflowRow
    created: bool
    warnings: tuple[str, ...] = ()
    secret_names: tuple[str, ...] = ()  # that the document names
    env_names: tuple[str, ...] = ()  # variables that it reads


class Workflows:
    """Owns the compiled plans; writes go through the engine loop's append."""

    def __init__(
        self,
        *,
        journal: Journal,
        readers: Readers,
        catalogue: Callable[[], Catalogue],
        arrivals: Arrivals,
        code: CodeCheck | None = None,
    ) -> None:
        self._journal = journal
        self._readers = readers
        self.compilers = Readers(1)  # a large document takes seconds: nobody who reads shall wait for it
        self._catalogue = catalogue
        self._arrivals = arrivals
        self._code = code
        self._kept = KeptDocuments(journal)
        self._plans: OrderedDict[tuple[str, str, str], Ready] = OrderedDict()
        self._alive: WeakValueDictionary[tuple[str, str, str], Ready] = WeakValueDictionary()  # who is held elsewhere
        self._active: dict[tuple[str, str], str] = {}
        self._changed: set[tuple[str, str]] = set()
        self._writing = asyncio.Lock()
        self.loop: EngineLoop | None = None
        self.changed: Callable[[], None] = lambda: None  # the active versions changed: triggers look again

    # -- plans

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

    def add(self, namespace: str, plan: Plan) -> None:
        """Keep a plan that is in no journal (a host that runs one document and forgets it)."""
        self._keep((namespace, plan.workflow, plan.version), Ready(plan))
        self._active[namespace, plan.workflow] = plan.version

    def _ready(self, namespace: str, workflow: str, version: str) -> Ready:
        key = (namespace, workflow, version)
        ready = self._plans.get(key) or self._alive.get(key)
        if ready is None:
            row = self._journal.version(namespace, workflow, version)
            if row is None:
                raise version_missing(workflow, version)
            plan = msgspec.structs.replace(plan_from_stored(row.document), version=version)
            ready = self._keep(key, Ready(plan))
        return ready

    def _keep(self, key: tuple[str, str, str], ready: Ready) -> Ready:
        self._plans[key] = self._alive[key] = ready
        while len(self._plans) > PLANS_MAX:
            self._plans.popitem(last=False)
        return ready

    async def resolve(self, namespace: str, workflow: str, version: str = "") -> Ready:
        """Return the named version, else the active one.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, WORKFLOW_INACTIVE.
        """
        wanted = version or self._active.get((namespace, workflow), "")
        if wanted:
            key = (namespace, workflow, wanted)
            ready = self._plans.get(key) or self._alive.get(key)
            if ready is not None:
                return ready
        if not wanted:
            row = await self._readers.call(self._journal.workflow, namespace, workflow)
            if row is None:
                raise workflow_missing(workflow)
            if not row.active:
                message = f"the workflow {workflow} has no active version; activate one, or name one"
                raise HostdError(Kind.STATE, "WORKFLOW_INACTIVE", message)
            wanted = self._active[namespace, workflow] = row.active
        try:
            return await self._readers.call(self._ready, namespace, workflow, wanted)
        except HostdError as error:
            if error.reason != "VERSION_MISSING":
                raise
            if await self._readers.call(self._journal.workflow, namespace, workflow) is None:
                raise workflow_missing(workflow) from None
            raise

    # -- what changed

    def note_changed(self, namespace: str, workflow: str) -> None:
        """Take note that another version may be the active one, or none."""
        self._changed.add((namespace, workflow))
        self.changed()

    def take_changed(self) -> set[tuple[str, str]]:
        """Return the workflows (namespace, name) that have changed since this was asked before."""
        changed, self._changed = self._changed, set()
        return changed

    def put_back(self, changed: set[tuple[str, str]]) -> None:
        """Return these again the next time: they could not be looked at."""
        self._changed |= changed

    # -- registering

    async def compiled(self, work: Callable[[Catalogue], T]) -> T:
        """Return what compiling with what is loaded makes; `work` blocks, and may be called again.

        Who names what is not loaded waits for plugins that were found at the start and have not had their say.
        Raises what `work` does.
        """
        while True:
            loaded = NotingCatalogue(self._catalogue())
            try:
                return await self.compilers.call(work, loaded)
            except HostdError:
                if not await self._arrivals.at_start(loaded.missing):
                    raise

    def compile(self, text: bytes, *, file: str = "", catalogue: Catalogue | None = None) -> Plan:
        """Return the plan of a text with exactly one document. Blocks; for `compilers`. Raises DOCUMENT_INVALID."""
        documents = load_documents(text, file=file)
        if len(documents) != 1:
            message = f"the text holds {len(documents)} documents; register them one at a time"
            raise invalid("DOCUMENT_INVALID", message)
        return compile_document(documents[0], catalogue=catalogue or self._catalogue(), code=self._code)

    async def check(self, text: bytes, *, file: str = "") -> list[Plan]:
        """Return the plans of all documents of a text. Raises HostdError DOCUMENT_INVALID."""
        return await self.compiled(
            lambda catalogue: compile_text(text, file=file, catalogue=catalogue, code=self._code)
        )

    async def register(
        self, namespace: str, text: bytes, *, activate: bool, principal: str, file: str = "", note: Any = None
    ) -> Registered:
        """Register a document, and activate it where asked. The same document again changes nothing.

        Args:
            note: called with the turn, to write a request id beside it.

        Raises:
            HostdError: DOCUMENT_INVALID, VERSION_EXISTS.
        """
        plan = await self.compiled(lambda catalogue: self.compile(text, file=file, catalogue=catalogue))
        taking = self._take_in(namespace, plan, text, activate=activate, principal=principal, note=note)
        return await to_its_end(taking, name="workflow-register")

    async def _take_in(
        self, namespace: str, plan: Plan, text: bytes, *, activate: bool, principal: str, note: Any
    ) -> Registered:
        async with self._writing:
            versions = await self._readers.call(self._journal.versions, namespace, plan.workflow)
            row, created = self._version_row(namespace, plan, text, versions, principal)
            plan = msgspec.structs.replace(plan, version=row.version)
            before = await self._readers.call(self._journal.workflow, namespace, plan.workflow)
            active = row.version if activate else (before.active if before else "")
            begins = await self._readers.call(self._journal.last_event)

            def fill(turn: Any) -> Registered:
                at_ms = turn.batch.at_ms
                kept = msgspec.structs.replace(row, registered_at_ms=at_ms) if created else row
                if created:
                    turn.batch.versions.append(kept)
                workflow = _activated(before, WorkflowRow(namespace, plan.workflow, active, at_ms, begins))
                turn.batch.workflows.append(workflow)
                secrets, variables = tuple(sorted(plan.secret_names)), tuple(sorted(plan.env_names))
                result = Registered(kept, workflow, created, plan.warnings, secrets, variables)
                if note is not None:
                    note(turn, result)
                return result

            result: Registered = await self._engine.write(fill)
            self._keep((namespace, plan.workflow, plan.version), Ready(plan))
            if active:
                self._active[namespace, plan.workflow] = active
        self.note_changed(namespace, plan.workflow)
        return result

    def _version_row(
        self, namespace: str, plan: Plan, text: bytes, versions: list[WorkflowVersion], principal: str
    ) -> tuple[WorkflowVersion, bool]:
        if plan.version:
            same = next((row for row in versions if row.version == plan.version), None)
            if same is not None and same.digest != plan.digest:
                message = f"{plan.workflow} {plan.version} is registered with another content; raise `version`"
                raise HostdError(Kind.EXISTS, "VERSION_EXISTS", message)
            version = plan.version
        else:
            same = next((row for row in reversed(versions) if row.digest == plan.digest), None)
            version = f"0.0.{_next_revision(versions)}"
        if same is not None:
            return same, False
        row = WorkflowVersion(
            namespace, plan.workflow, version, plan.digest, plan.document, text, plan.description, principal=principal
        )
        return row, True

    async def activate(
        self, namespace: str, workflow: str, version: str, *, expected: str | None = None, note: Any = None
    ) -> WorkflowRow:
        """Make a version the active one; empty deactivates.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, ACTIVE_CHANGED.
        """
        activating = self._activate(namespace, workflow, version, expected=expected, note=note)
        return await to_its_end(activating, name="workflow-activate")

    async def _activate(
        self, namespace: str, workflow: str, version: str, *, expected: str | None, note: Any
    ) -> WorkflowRow:
        async with self._writing:
            row = await self._readers.call(self._journal.workflow, namespace, workflow)
            if row is None:
                raise workflow_missing(workflow)
            if expected is not None and row.active != expected:
                message = f"the active version is {row.active or 'none'}, not {expected or 'none'}"
                raise HostdError(Kind.CONFLICT, "ACTIVE_CHANGED", message, details={"active": row.active})
            if version:
                await self._readers.call(self._ready, namespace, workflow, version)
            begins = await self._readers.call(self._journal.last_event)

            def fill(turn: Any) -> WorkflowRow:
                changed = _activated(row, WorkflowRow(namespace, workflow, version, turn.batch.at_ms, begins))
                turn.batch.workflows.append(changed)
                if note is not None:
                    note(turn, changed)
                return changed

            changed: WorkflowRow = await self._engine.write(fill)
            self._active.pop((namespace, workflow), None)
            if version:
                self._active[namespace, workflow] = version
        self.note_changed(namespace, workflow)
        return changed

    async def delete(self, namespace: str, workflow: str, version: str = "", *, note: Any = None) -> None:
        """Delete one version, or the workflow with all of them. Runs that ended keep their documents.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING; VERSION_IN_USE while live runs, or the active mark, hold it.
        """
        await to_its_end(self._delete(namespace, workflow, version, note), name="workflow-delete")

    async def _delete(self, namespace: str, workflow: str, version: str, note: Any) -> None:
        async with self._writing:
            row = await self._readers.call(self._journal.workflow, namespace, workflow)
            if row is None:
                raise workflow_missing(workflow)
            versions = await self._readers.call(self._journal.versions, namespace, workflow)
            names = [found.version for found in versions]
            if version and version not in names:
                raise version_missing(workflow, version)
            await self._refuse_in_use(namespace, workflow, version, row.active)
            doomed = [version] if version else names
            going = [found for found in versions if found.version in doomed]
            await keep_documents(going, loop=self._engine, journal=self._journal, readers=self._readers)
            await self._refuse_in_use(namespace, workflow, version, row.active)

            def fill(turn: Any) -> None:
                turn.batch.version_deletes.extend((namespace, workflow, name) for name in doomed)
                if len(doomed) == len(names):
                    turn.batch.workflow_deletes.append((namespace, workflow))
                if note is not None:
                    note(turn, None)

            await self._engine.write(fill)
            for name in doomed:
                self._plans.pop((namespace, workflow, name), None)
                self._alive.pop((namespace, workflow, name), None)
            if not version:
                self._active.pop((namespace, workflow), None)
        self.note_changed(namespace, workflow)

    async def _refuse_in_use(self, namespace: str, workflow: str, version: str, active: str) -> None:
        if version and version == active:
            message = f"{version} is the active version; activate another one first"
            raise HostdError(Kind.STATE, "VERSION_IN_USE", message)
        wanted: list[Filter] = [
            Compare("workflow", "=", workflow),
            Compare("state", "<", int(RunState.SUCCEEDED)),
        ]
        if version:
            wanted.append(Compare("version", "=", version))
        live = await self._readers.call(self._journal.count_runs, RunQuery(namespace, And(tuple(wanted))))
        if live:
            message = f"{live} live runs use it; wait for them, or cancel them"
            raise HostdError(Kind.STATE, "VERSION_IN_USE", message, details={"live_runs": str(live)})
        own = await self._readers.call(self._journal.own_triggers, namespace)
        held_by = _targeting(own, workflow, version)
        if held_by:
            message = f"triggers of their own start it: {', '.join(held_by[:20])}; delete or change them first"
            raise HostdError(Kind.STATE, "VERSION_IN_USE", message, details={"triggers": str(len(held_by))})

    @property
    def _engine(self) -> EngineLoop:
        return cast("EngineLoop", self.loop)


def _activated(before: WorkflowRow | None, after: WorkflowRow) -> WorkflowRow:
    """Return a workflow's row with since when its version is the active one."""
    if before is not None and before.active == after.active:
        return before
    return after if after.active else WorkflowRow(after.namespace, after.workflow)


def _targeting(own: list[OwnTriggerRow], workflow: str, version: str) -> list[str]:
    """Return the names of triggers that start a version; empty version: any of the workflow."""
    found = [(row.name, trigger_from_stored(row.document)) for row in own]
    return [name for name, own in found if own.workflow == workflow and version in ("", own.version)]


def _next_revision(versions: list[WorkflowVersion]) -> int:
    """Return n of the next 0.0.n."""
    taken = [int(row.version[4:]) for row in versions if row.version.startswith("0.0.") and row.version[4:].isdigit()]
    return max(taken, default=0) + 1


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
