# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""Workflows: documents in, versions out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.conversion import result_of
from hostd.client.results import Registered, Validated, Workflow, WorkflowDiff, WorkflowVersion
from hostd.client.starts import document_of, new_request_id
from hostd.v1 import workflow_service_pb2 as pb


class WorkflowCalls(BlockingConnection):
    """What is done with workflows."""

    def register(
        self, document: str | os.PathLike[str] | Mapping[str, Any], *, activate: bool = True, request_id: str = ""
    ) -> Registered:
        """Register a workflow: YAML or JSON text, the Path of a file, or the document itself.

        The same document again adds nothing, but is made the active version again, if another is: a warning says so.

        Raises:
            HostdError: DOCUMENT_INVALID, with every fault in `error.fields`; VERSION_EXISTS.
        """
        text, file = document_of(document)
        request = pb.RegisterWorkflowRequest(
            namespace=self.namespace,
            document=text,
            activate=activate,
            file=file,
            request_id=request_id or new_request_id(),
        )
        return self._result(Registered, self.workflows.RegisterWorkflow, request)

    def validate(self, document: str | os.PathLike[str] | Mapping[str, Any]) -> Validated:
        """Check one or more documents and return every mistake; register nothing."""
        text, file = document_of(document)
        request = pb.ValidateWorkflowRequest(namespace=self.namespace, document=text, file=file)
        return self._result(Validated, self.workflows.ValidateWorkflow, request)

    def get_workflow(self, workflow: str, *, version: str = "") -> Workflow:
        """Return a workflow with its active version, or the one named, and that version's source."""
        request = pb.GetWorkflowRequest(namespace=self.namespace, workflow=workflow, version=version)
        return self._result(Workflow, self.workflows.GetWorkflow, request)

    def list_workflows(self) -> Iterator[Workflow]:
        """Yield the workflows by name, page by page."""
        request = pb.ListWorkflowsRequest(namespace=self.namespace)
        for page in self._pages(self.workflows.ListWorkflows, request):
            for each in page.workflows:
                yield result_of(Workflow, each)

    def list_versions(self, workflow: str) -> Iterator[WorkflowVersion]:
        """Yield the versions of a workflow, the newest first, without their sources."""
        request = pb.ListWorkflowVersionsRequest(namespace=self.namespace, workflow=workflow)
        for page in self._pages(self.workflows.ListWorkflowVersions, request):
            for each in page.versions:
                yield result_of(WorkflowVersion, each)

    def diff_versions(self, workflow: str, from_version: str = "", to_version: str = "") -> WorkflowDiff:
        """Return what is different in another version, by place of the document; empty means the active version."""
        request = pb.DiffWorkflowVersionsRequest(
            namespace=self.namespace, workflow=workflow, from_version=from_version, to_version=to_version
        )
        return self._result(WorkflowDiff, self.workflows.DiffWorkflowVersions, request)

    def activate(self, workflow: str, version: str, *, expected: str | None = None, request_id: str = "") -> Workflow:
        """Make a version the one that new runs take; an empty one deactivates.

        Args:
            expected: refuse with ACTIVE_CHANGED unless this version is active now.
        """
        request = pb.ActivateWorkflowRequest(
            namespace=self.namespace,
            workflow=workflow,
            version=version,
            expected_active=expected,
            request_id=request_id or new_request_id(),
        )
        return self._result(Workflow, self.workflows.ActivateWorkflow, request)

    def delete_workflow(self, workflow: str, *, version: str = "", request_id: str = "") -> None:
        """Delete a version of a workflow, or all of them. Raises VERSION_IN_USE where live runs use it."""
        request = pb.DeleteWorkflowRequest(
            namespace=self.namespace, workflow=workflow, version=version, request_id=request_id or new_request_id()
        )
        self._ask(self.workflows.DeleteWorkflow, request)
