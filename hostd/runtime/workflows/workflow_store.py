"""Registered workflows as the doors see them; request ids are written beside what they caused."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from hostd.definition.differences import document_differences
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, WorkflowRow, WorkflowVersion
from hostd.model.requests import Repeat
from hostd.model.views import DifferencesView, RegisteredView, ValidationView, VersionView, WorkflowView
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import first_answer, note_of
from hostd.runtime.ring.turn import Turn
from hostd.runtime.workflows.plans import version_missing, workflow_missing
from hostd.runtime.workflows.workflows import Registered, Workflows

REGISTER, ACTIVATE, DELETE = "workflow.register", "workflow.activate", "workflow.delete"
_VARIABLE = "list it under `env` of the configuration, and set it where the daemon is started"


class _Reference(msgspec.Struct, frozen=True, array_like=True):
    """What the first answer to a registration referred to."""

    workflow: str
    version: str
    created: bool


class Beginnings(Protocol):
    """Waits for triggers of workflows (runtime.triggers.beginnings)."""

    async def of_workflow(self, namespace: str, workflow: str, *, within_s: float | None = None) -> Sequence[str]:
        """Wait until they have begun, a short time at most; return a warning for each that does not run."""
        ...


class WorkflowStore:
    """Reading and changing what is registered."""

    def __init__(
        self,
        *,
        workflows: Workflows,
        journal: Journal,
        readers: Readers,
        secret_is_missing: Callable[[str, str], Awaitable[bool]],
        env_missing: Callable[[Sequence[str]], Sequence[str]],
        beginnings: Beginnings,
    ) -> None:
        self._beginnings = beginnings
        self._secret_is_missing = secret_is_missing
        self._env_missing = env_missing
        self._workflows = workflows
        self._journal = journal
        self._readers = readers

    async def register(
        self,
        namespace: str,
        document: bytes,
        *,
        file: str,
        activate: bool,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> RegisteredView:
        """Register one document; returns once the triggers of its version have begun, if that is the active one.

        Args:
            within_s: so long it waits for triggers at most; a short time where not given.

        Raises DOCUMENT_INVALID, VERSION_EXISTS, REQUEST_ID_CONFLICT.
        """
        first = await first_answer(self._journal, self._readers, namespace, REGISTER, repeat)
        if first is not None:
            known = msgspec.msgpack.decode(first, type=_Reference)
            view = await self.get(namespace, known.workflow, known.version)
            return RegisteredView(view, known.created, tuple(await self._begun(view, within_s)))

        def note(turn: Turn, result: Registered) -> None:
            reference = _Reference(result.row.workflow, result.row.version, result.created)
            write = note_of(namespace, REGISTER, repeat, msgspec.msgpack.encode(reference))
            if write is not None:
                write(turn)
            digest, active = result.row.digest.hex(), result.row.version if activate else ""
            if result.created or activate:
                name, version = result.row.workflow, result.row.version
                audited(namespace, principal, REGISTER, name, version=version, digest=digest, active=active)(turn)

        done = await self._workflows.register(
            namespace, document, activate=activate, principal=principal, file=file, note=note
        )
        version = _version(done.row, active=done.workflow.active, source=True)
        view = _workflow(done.workflow, version)
        unset = [f"env.{name} is empty: {_VARIABLE}" for name in self._env_missing(done.env_names)]
        warnings = (*done.warnings, *await self._missing_secrets(namespace, done.secret_names), *unset)
        return RegisteredView(view, done.created, (*warnings, *await self._begun(view, within_s)))

    async def _begun(self, view: WorkflowView, within_s: float | None) -> Sequence[str]:
        """Wait for the triggers of a version that was activated; return a warning for each that does not run."""
        version = view.version
        if version is None or not version.active:
            return ()
        try:
            ready = await self._workflows.plans.resolve(view.namespace, view.workflow, version.version)
        except HostdError:
            return ()  # deleted by somebody else meanwhile
        if not ready.plan.triggers:
            return ()
        return await self._beginnings.of_workflow(view.namespace, view.workflow, within_s=within_s)

    async def _missing_secrets(self, namespace: str, names: Sequence[str]) -> list[str]:
        """Return a warning for each secret that a document names and nobody has; it can still be set."""
        missing = [name for name in names if await self._secret_is_missing(namespace, name)]
        return [f"nobody has the secret {name} yet; `hostd secret set {name}` sets it" for name in missing]

    async def activate(
        self,
        namespace: str,
        workflow: str,
        version: str,
        *,
        expected: str | None,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> WorkflowView:
        """Make a version the active one; returns once its triggers have begun, see `register`.

        Raises WORKFLOW_MISSING, VERSION_MISSING, ACTIVE_CHANGED.
        """
        first = await first_answer(self._journal, self._readers, namespace, ACTIVATE, repeat)
        if first is None:
            note = note_of(namespace, ACTIVATE, repeat, workflow.encode())
            note = audited(namespace, principal, ACTIVATE, workflow, note, version=version)
            await self._workflows.activate(namespace, workflow, version, expected=expected, note=note)
        view = await self.get(namespace, workflow, "")
        return msgspec.structs.replace(view, warnings=tuple(await self._begun(view, within_s)))

    async def validate(self, namespace: str, document: bytes, *, file: str) -> ValidationView:
        """Check documents, off the loop; mistakes are answers."""
        try:
            plans = await self._workflows.compiling.each(document, file=file)
        except HostdError as error:
            if error.reason != "DOCUMENT_INVALID":
                raise
            return ValidationView(error.violations)
        return ValidationView(warnings=tuple(text for plan in plans for text in plan.warnings))

    async def get(self, namespace: str, workflow: str, version: str) -> WorkflowView:
        """Return a workflow with one version. Raises WORKFLOW_MISSING, VERSION_MISSING."""
        return await self._readers.call(self._get, namespace, workflow, version)

    def _get(self, namespace: str, workflow: str, version: str) -> WorkflowView:
        row = self._row(namespace, workflow)
        wanted = version or row.active
        if not wanted:
            return _workflow(row)
        found = self._journal.version(namespace, workflow, wanted)
        if found is None:
            raise version_missing(workflow, wanted)
        return _workflow(row, _version(found, active=row.active, source=True))

    def _row(self, namespace: str, workflow: str) -> WorkflowRow:
        row = self._journal.workflow(namespace, workflow)
        if row is None:
            raise workflow_missing(workflow)
        return row

    async def list(self, namespace: str, *, after: str, limit: int) -> Sequence[WorkflowView]:
        """Return workflows with a name past `after`, by name."""
        rows = await self._readers.call(lambda: self._journal.workflows(namespace, after=after, limit=limit))
        return [_workflow(row) for row in rows]

    async def versions(self, namespace: str, workflow: str, *, skip: int, limit: int) -> Sequence[VersionView]:
        """Return versions without sources, newest first. Raises WORKFLOW_MISSING."""
        return await self._readers.call(self._versions, namespace, workflow, skip, limit)

    def _versions(self, namespace: str, workflow: str, skip: int, limit: int) -> Sequence[VersionView]:
        active = self._row(namespace, workflow).active
        rows = self._journal.versions(namespace, workflow)[::-1][skip : skip + limit]
        return [_version(row, active=active, source=False) for row in rows]

    async def differences(
        self, namespace: str, workflow: str, *, first: str, second: str, limit: int
    ) -> DifferencesView:
        """Return how two versions differ. Raises WORKFLOW_MISSING, VERSION_MISSING, WORKFLOW_INACTIVE."""
        return await self._readers.call(lambda: self._differences(namespace, workflow, first, second, limit))

    def _differences(self, namespace: str, workflow: str, first: str, second: str, limit: int) -> DifferencesView:
        one, other = (self._source(namespace, workflow, version) for version in (first, second))
        found = tuple(itertools.islice(document_differences(one.source, other.source), limit + 1))
        return DifferencesView(one.version, other.version, found[:limit], truncated=len(found) > limit)

    def _source(self, namespace: str, workflow: str, version: str) -> VersionView:
        view = self._get(namespace, workflow, version)
        if view.version is None:
            message = f"{workflow} has no active version; name the version that is meant"
            raise HostdError(Kind.STATE, "WORKFLOW_INACTIVE", message, details={"workflow": workflow})
        return view.version

    async def delete(
        self, namespace: str, workflow: str, version: str, *, principal: str, repeat: Repeat | None
    ) -> None:
        """Delete a version, or all. Raises WORKFLOW_MISSING, VERSION_MISSING, VERSION_IN_USE."""
        if await first_answer(self._journal, self._readers, namespace, DELETE, repeat) is not None:
            return
        note = note_of(namespace, DELETE, repeat, workflow.encode())
        note = audited(namespace, principal, DELETE, workflow, note, version=version)
        await self._workflows.delete(namespace, workflow, version, note=note)


def _workflow(row: WorkflowRow, version: VersionView | None = None) -> WorkflowView:
    return WorkflowView(row.namespace, row.workflow, row.active, row.activated_at_ms, version)


def _version(row: WorkflowVersion, *, active: str, source: bool) -> VersionView:
    return VersionView(
        version=row.version,
        digest=row.digest,
        active=row.version == active,
        description=row.description,
        registered_at_ms=row.registered_at_ms,
        principal=row.principal,
        source=row.source if source else b"",
    )
