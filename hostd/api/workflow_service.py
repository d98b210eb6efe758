"""WorkflowService: from the wire to the port and back."""

from __future__ import annotations

from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import (
    differences_message,
    version_message,
    violation_message,
    workflow_message,
)
from hostd.api.convert.checks import check_document, check_file, check_namespace, check_version, check_workflow
from hostd.api.convert.digests import repeat_of
from hostd.api.paging import Page
from hostd.api.patience import spare_s
from hostd.api.ports import Workflows
from hostd.api.tokens import Tokens, scope_of
from hostd.v1 import workflow_service_pb2 as wire
from hostd.v1.workflow_service_pb2_grpc import WorkflowServiceServicer

DIFFERENCES_MAX = 1_000


class WorkflowService(WorkflowServiceServicer):
    """Workflows: named, versioned definitions."""

    def __init__(self, workflows: Workflows, tokens: Tokens) -> None:
        self._workflows = workflows
        self._tokens = tokens

    async def RegisterWorkflow(
        self, request: wire.RegisterWorkflowRequest, context: Any
    ) -> wire.RegisterWorkflowResponse:
        """Register a document."""
        activate = request.activate if request.HasField("activate") else True
        registered = await self._workflows.register(
            check_namespace(request.namespace),
            check_document(request.document),
            file=check_file(request.file),
            activate=activate,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"document": request.document, "activate": activate}),
            within_s=spare_s(context),
        )
        workflow = workflow_message(registered.workflow)
        return wire.RegisterWorkflowResponse(
            workflow=workflow, created=registered.created, warnings=registered.warnings
        )

    async def ActivateWorkflow(self, request: wire.ActivateWorkflowRequest, context: Any) -> wire.Workflow:
        """Make a version the active one."""
        expected = check_version(request.expected_active) if request.HasField("expected_active") else None
        fields: dict[str, Any] = {"workflow": request.workflow, "version": request.version, "expected": expected}
        view = await self._workflows.activate(
            check_namespace(request.namespace),
            check_workflow(request.workflow),
            check_version(request.version),
            expected=expected,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, fields),
            within_s=spare_s(context),
        )
        return workflow_message(view)

    async def ValidateWorkflow(
        self, request: wire.ValidateWorkflowRequest, context: Any
    ) -> wire.ValidateWorkflowResponse:
        """Check documents."""
        namespace, file = check_namespace(request.namespace), check_file(request.file)
        checked = await self._workflows.validate(namespace, check_document(request.document), file=file)
        violations = [violation_message(each) for each in checked.violations]
        return wire.ValidateWorkflowResponse(violations=violations, warnings=checked.warnings)

    async def GetWorkflow(self, request: wire.GetWorkflowRequest, context: Any) -> wire.Workflow:
        """Return a workflow with one version."""
        namespace = check_namespace(request.namespace)
        workflow, version = check_workflow(request.workflow), check_version(request.version)
        return workflow_message(await self._workflows.get(namespace, workflow, version))

    async def ListWorkflows(self, request: wire.ListWorkflowsRequest, context: Any) -> wire.ListWorkflowsResponse:
        """Return a page of workflows by name."""
        namespace = check_namespace(request.namespace)
        scope = scope_of("ListWorkflows", namespace)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        views = await self._workflows.list(namespace, after=page.after(""), limit=page.limit)
        kept, token = page.cut([workflow_message(view) for view in views], [view.workflow for view in views])
        return wire.ListWorkflowsResponse(workflows=kept, next_page_token=token)

    async def ListWorkflowVersions(
        self, request: wire.ListWorkflowVersionsRequest, context: Any
    ) -> wire.ListWorkflowVersionsResponse:
        """Return a page of versions, newest first."""
        namespace, workflow = check_namespace(request.namespace), check_workflow(request.workflow)
        scope = scope_of("ListWorkflowVersions", namespace, workflow)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        skip = page.after(0)
        views = await self._workflows.versions(namespace, workflow, skip=skip, limit=page.limit)
        positions = [skip + number for number in range(1, len(views) + 1)]
        kept, token = page.cut([version_message(view) for view in views], positions)
        return wire.ListWorkflowVersionsResponse(versions=kept, next_page_token=token)

    async def DiffWorkflowVersions(
        self, request: wire.DiffWorkflowVersionsRequest, context: Any
    ) -> wire.DiffWorkflowVersionsResponse:
        """Return how two versions differ."""
        found = await self._workflows.differences(
            check_namespace(request.namespace),
            check_workflow(request.workflow),
            first=check_version(request.from_version),
            second=check_version(request.to_version),
            limit=DIFFERENCES_MAX,
        )
        return differences_message(found)

    async def DeleteWorkflow(self, request: wire.DeleteWorkflowRequest, context: Any) -> wire.DeleteWorkflowResponse:
        """Delete a version, or all."""
        workflow, version = check_workflow(request.workflow), check_version(request.version)
        await self._workflows.delete(
            check_namespace(request.namespace),
            workflow,
            version,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"workflow": workflow, "version": version}),
        )
        return wire.DeleteWorkflowResponse()
