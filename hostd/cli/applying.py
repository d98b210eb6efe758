"""Making a trigger of its own what its document says, and the mistakes of documents with their places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hostd.cli.inputs import file_label
from hostd.cli.printing import warn
from hostd.cli.session import Session
from hostd.cli.tables import clean
from hostd.errors.base import HostdError, Violation
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import trigger_service_pb2 as pb
    from hostd.v1 import workflow_service_pb2
else:
    pb = lazily("hostd.v1.trigger_service_pb2")
    workflow_service_pb2 = lazily("hostd.v1.workflow_service_pb2")


def apply_one(session: Session, document: str, file: str, *, replace: bool = True, request_id: str = "") -> None:
    """Make one trigger what its document says, and print it."""
    request = pb.CreateTriggerRequest(
        namespace=session.namespace,
        document=document,
        file=file_label(file),
        replace=replace,
        request_id=request_id,
    )
    try:
        answer = session.call(session.client.triggers.CreateTrigger, request)
    except HostdError as error:
        if error.reason != "DOCUMENT_INVALID":
            raise
        faults = tuple(faults_of(session, document, request.file)[0]) or error.violations
        raise HostdError(error.kind, error.reason, error.message, violations=faults) from None
    warn_of(answer.warnings, f"{file_label(file)}: ")
    session.show(answer, _applied)


def warn_of(warnings: Iterable[str], place: str = "") -> None:
    """Say on stderr what an answer warns of."""
    for warning in warnings:
        warn(f"{place}warning: {clean(warning)}")


def _applied(answer: Any) -> str:
    item = answer["trigger"]
    return f"{item['name']} {'applied' if answer['changed'] else 'was so already'}, starts {item['target']}"


def faults_of(session: Session, document: str, file: str) -> tuple[list[Violation], list[str]]:
    """Return every mistake of a document, which an error's details need not have room for, and the warnings."""
    request = workflow_service_pb2.ValidateWorkflowRequest(namespace=session.namespace, document=document, file=file)
    answer = session.call(session.client.workflows.ValidateWorkflow, request)
    faults = [
        Violation(at.path, at.reason, at.message, at.suggestion, at.file, at.line, at.column)
        for at in answer.violations
    ]
    return faults, list(answer.warnings)
