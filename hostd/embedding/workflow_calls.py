"""Workflows of a host: register them, look at their versions, say which of them is used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from hostd.api.convert.checks import check_version, check_workflow
from hostd.api.convert.digests import repeat_of
from hostd.embedding.calls import Calls
from hostd.embedding.documents import Written, text_of_document
from hostd.embedding.workflow import Workflow
from hostd.errors.base import HostdError, invalid
from hostd.model.views import VersionView, WorkflowView
from hostd.values.json_text import JsonValue

WORKFLOWS_MAX = 1_000


class Registered(msgspec.Struct, frozen=True):
    """What registering did. `created`: False when the same document was registered before."""

    workflow: str
    version: str
    created: bool
    warnings: tuple[str, ...] = ()


class WorkflowCalls(Calls):
    """The part of a host for workflows."""

    _written: dict[str, tuple[str, str]]

    async def register(
        self,
        document: Written,
        *,
        activate: bool = True,
        request_id: str = "",
    ) -> Registered:
        """Register a workflow, and have starts and triggers use it; a version that is there already is only activated.

        Args:
            document: its text, a file, the document as a mapping, or a builder.

        Raises:
            HostdError: DOCUMENT_INVALID with every mistake as a violation, of a builder with its Python lines;
                VERSION_EXISTS, REQUEST_ID_CONFLICT; ARGUMENT_INVALID for a file that cannot be read.
        """
        text, file = await asyncio.to_thread(text_of_document, document)
        fields: dict[str, JsonValue] = {"document": text.decode("utf-8", "replace"), "activate": activate}
        try:
            done = await self._front.workflows.register(
                self.namespace,
                text,
                file=file,
                activate=activate,
                principal=self.principal,
                repeat=repeat_of(request_id, fields),
            )
        except HostdError as error:
            if isinstance(document, Workflow):
                raise document.placed(error) from None
            raise
        version = done.workflow.version.version if done.workflow.version is not None else ""
        return Registered(done.workflow.workflow, version, done.created, done.warnings)

    async def workflows(self) -> Sequence[WorkflowView]:
        """Return the workflows, by name, the first 1,000."""
        return await self._front.workflows.list(self.namespace, after="", limit=WORKFLOWS_MAX)

    async def versions(self, workflow: str) -> Sequence[VersionView]:
        """Return the versions of a workflow, the newest first, the first 1,000; one of them may be `active`.

        Raises:
            HostdError: WORKFLOW_MISSING.
        """
        return await self._front.workflows.versions(
            self.namespace, check_workflow(workflow), skip=0, limit=WORKFLOWS_MAX
        )

    async def activate(
        self, workflow: str, version: str, *, expected: str | None = None, request_id: str = ""
    ) -> WorkflowView:
        """Have starts and triggers use a version; return once its triggers have begun. An empty one: none is used.

        Args:
            expected: the version that is active until now, empty for none; refused where it is another.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, ACTIVE_CHANGED, REQUEST_ID_CONFLICT.
        """
        fields: dict[str, JsonValue] = {"workflow": workflow, "version": version, "expected": expected}
        return await self._front.workflows.activate(
            self.namespace,
            check_workflow(workflow),
            check_version(version),
            expected=check_version(expected) if expected is not None else None,
            principal=self.principal,
            repeat=repeat_of(request_id, fields),
        )

    async def delete_workflow(self, workflow: str, version: str = "", *, request_id: str = "") -> None:
        """Delete a version, without one the workflow with all of them.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING; VERSION_IN_USE where it is active, or a run of it is open.
        """
        name, version = check_workflow(workflow), check_version(version)
        repeat = repeat_of(request_id, {"workflow": name, "version": version})
        await self._front.workflows.delete(self.namespace, name, version, principal=self.principal, repeat=repeat)
        self._written.pop(workflow, None)  # a builder of the name is registered anew

    async def _workflow(self, workflow: str | Workflow, version: str) -> tuple[str, str]:
        """Return name and version to start; a builder's document is registered where it is new."""
        if isinstance(workflow, str):
            return workflow, version
        if not isinstance(workflow, Workflow):
            raise invalid("ARGUMENT_INVALID", f"workflow: {workflow!r:.40} is neither a name nor a builder")
        text = workflow.to_yaml()
        known = self._written.get(workflow.name)
        if known is None or known[0] != text:
            done = await self.register(workflow)
            known = self._written[workflow.name] = (text, done.version)
        return workflow.name, version or known[1]
