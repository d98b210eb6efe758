"""Registered workflows: versions are immutable, one is active. What changes goes through the engine loop's append."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from hostd.aio import to_its_end
from hostd.definition.plan import Plan
from hostd.definition.trigger_document import trigger_from_stored
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, OwnTriggerRow, RunQuery, WorkflowRow, WorkflowVersion
from hostd.model.filters import And, Compare, Filter
from hostd.model.states import RunState
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.workflows.compiling import Compiling
from hostd.runtime.workflows.kept_documents import keep_documents
from hostd.runtime.workflows.plans import PlanShelf, version_missing, workflow_missing

Note = Callable[..., None] | None
"""Called with the turn of a change and what it made, to write a request id or an audit row beside it."""


class Registered(msgspec.Struct, frozen=True):
    """What registering did."""

    row: WorkflowVersion
    workflow: WorkflowRow
    created: bool
    warnings: tuple[str, ...] = ()
    secret_names: tuple[str, ...] = ()  # that the document names
    env_names: tuple[str, ...] = ()  # variables that it reads


class Workflows:
    """Registers, activates and deletes; `plans` has what is there, compiled, and `compiling` makes more of it."""

    def __init__(
        self, *, loop: EngineLoop, journal: Journal, readers: Readers, plans: PlanShelf, compiling: Compiling
    ) -> None:
        self.plans = plans
        self.compiling = compiling
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._changed: set[tuple[str, str]] = set()
        self._writing = asyncio.Lock()
        self.changed: Callable[[], None] = lambda: None  # the active versions changed: triggers look again

    # -- what changed

    def _note_changed(self, namespace: str, workflow: str) -> None:
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

    async def register(
        self, namespace: str, text: bytes, *, activate: bool, principal: str, file: str = "", note: Note = None
    ) -> Registered:
        """Register a document, and activate it where asked; a version that is there already is only activated.

        Raises:
            HostdError: DOCUMENT_INVALID, VERSION_EXISTS.
        """
        plan = await self.compiling.one(text, file=file)
        taking = self._take_in(namespace, plan, text, activate=activate, principal=principal, note=note)
        return await to_its_end(taking, name="workflow-register")

    async def _take_in(
        self, namespace: str, plan: Plan, text: bytes, *, activate: bool, principal: str, note: Note
    ) -> Registered:
        async with self._writing:
            versions = await self._readers.call(self._journal.versions, namespace, plan.workflow)
            row, created = self._version_row(namespace, plan, text, versions, principal)
            plan = msgspec.structs.replace(plan, version=row.version)
            before = await self._readers.call(self._journal.workflow, namespace, plan.workflow)
            was = before.active if before else ""
            active = row.version if activate else was
            warnings = plan.warnings if created or active == was else (*plan.warnings, _back(row.version, was))
            begins = await self._readers.call(self._journal.last_event)

            def fill(turn: Turn) -> Registered:
                at_ms = turn.batch.at_ms
                kept = msgspec.structs.replace(row, registered_at_ms=at_ms) if created else row
                if created:
                    turn.batch.versions.append(kept)
                workflow = _activated(before, WorkflowRow(namespace, plan.workflow, active, at_ms, begins))
                turn.batch.workflows.append(workflow)
                secrets, variables = tuple(sorted(plan.secret_names)), tuple(sorted(plan.env_names))
                result = Registered(kept, workflow, created, warnings, secrets, variables)
                if note is not None:
                    note(turn, result)
                return result

            result: Registered = await self._loop.write(fill)
            self.plans.keep(namespace, plan)
            self.plans.activate(namespace, plan.workflow, active)
        self._note_changed(namespace, plan.workflow)
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
        self, namespace: str, workflow: str, version: str, *, expected: str | None = None, note: Note = None
    ) -> WorkflowRow:
        """Make a version the active one; empty deactivates.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, ACTIVE_CHANGED.
        """
        activating = self._activate(namespace, workflow, version, expected=expected, note=note)
        return await to_its_end(activating, name="workflow-activate")

    async def _activate(
        self, namespace: str, workflow: str, version: str, *, expected: str | None, note: Note
    ) -> WorkflowRow:
        async with self._writing:
            row = await self._readers.call(self._journal.workflow, namespace, workflow)
            if row is None:
                raise workflow_missing(workflow)
            if expected is not None and row.active != expected:
                message = f"the active version is {row.active or 'none'}, not {expected or 'none'}"
                raise HostdError(Kind.CONFLICT, "ACTIVE_CHANGED", message, details={"active": row.active})
            if version:
                await self._readers.call(self.plans.get, namespace, workflow, version)
            begins = await self._readers.call(self._journal.last_event)

            def fill(turn: Turn) -> WorkflowRow:
                changed = _activated(row, WorkflowRow(namespace, workflow, version, turn.batch.at_ms, begins))
                turn.batch.workflows.append(changed)
                if note is not None:
                    note(turn, changed)
                return changed

            changed: WorkflowRow = await self._loop.write(fill)
            self.plans.activate(namespace, workflow, version)
        self._note_changed(namespace, workflow)
        return changed

    async def delete(self, namespace: str, workflow: str, version: str = "", *, note: Note = None) -> None:
        """Delete one version, or the workflow with all of them. Runs that ended keep their documents.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING; VERSION_IN_USE while live runs, or the active mark, hold it.
        """
        await to_its_end(self._delete(namespace, workflow, version, note), name="workflow-delete")

    async def _delete(self, namespace: str, workflow: str, version: str, note: Note) -> None:
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
            await keep_documents(going, loop=self._loop, journal=self._journal, readers=self._readers)
            await self._refuse_in_use(namespace, workflow, version, row.active)

            def fill(turn: Turn) -> None:
                turn.batch.version_deletes.extend((namespace, workflow, name) for name in doomed)
                if len(doomed) == len(names):
                    turn.batch.workflow_deletes.append((namespace, workflow))
                if note is not None:
                    note(turn, None)

            await self._loop.write(fill)
            for name in doomed:
                self.plans.forget(namespace, workflow, name)
            if not version:
                self.plans.activate(namespace, workflow, "")
        self._note_changed(namespace, workflow)

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


def _activated(before: WorkflowRow | None, after: WorkflowRow) -> WorkflowRow:
    """Return a workflow's row with since when its version is the active one."""
    if before is not None and before.active == after.active:
        return before
    return after if after.active else WorkflowRow(after.namespace, after.workflow)


def _targeting(own: list[OwnTriggerRow], workflow: str, version: str) -> list[str]:
    """Return the names of triggers that start a version; empty version: any of the workflow."""
    found = [(row.name, trigger_from_stored(row.document)) for row in own]
    return [name for name, own in found if own.workflow == workflow and version in ("", own.version)]


def _back(version: str, was: str) -> str:
    """Return what to tell who registers a version that is there already and takes the place of another."""
    return f"{version} was registered before and is active again, in the place of {was}"


def _next_revision(versions: list[WorkflowVersion]) -> int:
    """Return n of the next 0.0.n."""
    taken = [int(row.version[4:]) for row in versions if row.version.startswith("0.0.") and row.version[4:].isdigit()]
    return max(taken, default=0) + 1
