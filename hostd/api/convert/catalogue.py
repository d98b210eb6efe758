"""Workflows, triggers, plugins, scripts and the daemon itself: views to messages."""

from __future__ import annotations

from hostd.api.convert.payloads import failure_of, json_payload
from hostd.api.convert.runs import time_of
from hostd.errors.base import Violation
from hostd.model.administration import AuditView, NamespaceView, SystemView
from hostd.model.views import (
    ComponentView,
    DifferencesView,
    PluginView,
    ProcessView,
    SchemaView,
    ScriptView,
    SecretView,
    TriggerView,
    VersionView,
    WorkflowView,
)
from hostd.v1.admin_service_pb2 import AuditEvent, JournalStatus, LuaIsolation, Namespace, SystemInfo
from hostd.v1.payload_pb2 import Violation as ViolationMessage
from hostd.v1.plugin_service_pb2 import (
    Component,
    ComponentSchema,
    FailureCode,
    OldPluginProcess,
    Plugin,
    PluginProcess,
)
from hostd.v1.script_service_pb2 import EvaluateScriptResponse, ScriptLogLine
from hostd.v1.secret_service_pb2 import Secret
from hostd.v1.trigger_service_pb2 import Trigger
from hostd.v1.workflow_service_pb2 import (
    DiffWorkflowVersionsResponse,
    Workflow,
    WorkflowDifference,
    WorkflowVersion,
)


def workflow_message(view: WorkflowView) -> Workflow:
    """Return a workflow."""
    return Workflow(
        namespace=view.namespace,
        workflow=view.workflow,
        active_version=view.active,
        activate_time=time_of(view.activated_at_ms),
        version=version_message(view.version) if view.version is not None else None,
        warnings=view.warnings,
    )


def version_message(view: VersionView) -> WorkflowVersion:
    """Return a version."""
    return WorkflowVersion(
        version=view.version,
        digest=view.digest.hex(),
        description=view.description,
        register_time=time_of(view.registered_at_ms),
        principal=view.principal,
        active=view.active,
        source=view.source.decode("utf-8", "replace"),
    )


def differences_message(view: DifferencesView) -> DiffWorkflowVersionsResponse:
    """Return how two versions differ."""
    differences = [
        WorkflowDifference(
            kind=f"DIFFERENCE_KIND_{each.kind}",
            path=each.path,
            step=each.step,
            before=each.before,
            after=each.after,
        )
        for each in view.differences
    ]
    return DiffWorkflowVersionsResponse(
        from_version=view.first, to_version=view.second, differences=differences, truncated=view.truncated
    )


def namespace_message(view: NamespaceView) -> Namespace:
    """Return a namespace."""
    return Namespace(
        name=view.name,
        workflows=view.workflows,
        runs=view.runs,
        open_runs=view.open_runs,
        triggers=view.triggers,
        secrets=view.secrets,
    )


def violation_message(violation: Violation) -> ViolationMessage:
    """Return one fault of a document."""
    return ViolationMessage(
        file=violation.file,
        line=violation.line,
        column=violation.column,
        path=violation.path,
        reason=violation.reason,
        message=violation.message,
        suggestion=violation.suggestion,
    )


def trigger_message(view: TriggerView) -> Trigger:
    """Return a trigger."""
    return Trigger(
        namespace=view.namespace,
        workflow=view.workflow,
        name=view.name,
        uses=view.uses,
        state=f"TRIGGER_STATE_{view.state}",
        message=view.message,
        version=view.version,
        cursor=view.cursor.decode(),
        fired=view.fired,
        last_fire_time=time_of(view.last_fired_at_ms),
        restarts=view.restarts,
        target=view.target,
        source=view.source.decode("utf-8", "replace"),
        warnings=view.warnings,
    )


def component_message(view: ComponentView) -> Component:
    """Return what a plugin registered."""
    return Component(
        id=view.id,
        kind=view.kind,
        description=view.description,
        since=view.since,
        stability=view.stability,
        effects=view.effects,
        executors=view.executors,
        plugin=view.plugin,
        codes=[FailureCode(code=code, meaning=meaning) for code, meaning in view.codes],
    )


def plugin_message(view: PluginView) -> Plugin:
    """Return a plugin."""
    return Plugin(
        id=view.id,
        version=view.version,
        source=view.source.lower(),
        origin=view.origin,
        state=f"PLUGIN_STATE_{view.state}",
        reason=view.reason,
        message=view.message,
        traceback=view.traceback,
        isolation=view.isolation,
        components=[component_message(each) for each in view.components],
        api=view.api,
        permissions=view.permissions,
        process=_process(view.process) if view.process is not None else None,
        rollback_version=view.rollback_version,
        warnings=view.warnings,
    )


def secret_message(view: SecretView) -> Secret:
    """Return a secret, without its value."""
    return Secret(
        namespace=view.namespace,
        name=view.name,
        provider=view.provider,
        update_time=time_of(view.updated_at_ms) if view.updated_at_ms is not None else None,
        writable=view.writable,
    )


def _process(view: ProcessView) -> PluginProcess:
    return PluginProcess(
        state=view.state,
        pid=view.pid,
        restarts=view.restarts,
        attempts=view.attempts,
        triggers=view.triggers,
        message=view.message,
        output=view.printed,
        draining=[
            OldPluginProcess(version=old.version, pid=old.pid, attempts=old.attempts, triggers=old.triggers)
            for old in view.draining
        ],
    )


def schema_message(view: SchemaView) -> ComponentSchema:
    """Return a component's options."""
    return ComponentSchema(
        component=component_message(view.component), schema=view.schema.decode(), sample=view.sample.decode()
    )


def script_message(view: ScriptView) -> EvaluateScriptResponse:
    """Return how a script ended."""
    return EvaluateScriptResponse(
        output=json_payload(view.output) if view.output is not None else None,
        failure=failure_of(view.failure) if view.failure is not None else None,
        logs=[ScriptLogLine(level=level, text=text) for level, text in view.logs],
        cpu_ms=view.cpu_ms,
        wall_ms=view.wall_ms,
        memory_bytes=view.memory_bytes,
    )


def audit_message(view: AuditView) -> AuditEvent:
    """Return one change that somebody made."""
    return AuditEvent(
        number=view.number,
        time=time_of(view.at_ms),
        principal=view.principal,
        verb=view.verb,
        resource=view.resource,
        details=view.details,
    )


def system_message(view: SystemView) -> SystemInfo:
    """Return the daemon as it is now."""
    journal, lua = view.journal, view.lua
    return SystemInfo(
        version=view.version,
        plugin_api=view.plugin_api,
        python=view.python,
        instance_id=view.instance_id,
        start_time=time_of(view.started_at_ms),
        limits=view.limits,
        capabilities=view.capabilities,
        tzdata=view.tzdata,
        journal=JournalStatus(
            kind=journal.kind,
            journal_id=journal.journal_id,
            schema_version=journal.schema_version,
            path=journal.path,
            unwritable=journal.unwritable,
        ),
        lua=LuaIsolation(level=lua.level, active=lua.active, missing=lua.missing),
        runs_in_memory=view.runs_in_memory,
        attempts_in_flight=view.attempts_in_flight,
        http_address=view.http_address,
        grpc_address=view.grpc_address,
    )
