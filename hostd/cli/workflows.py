"""`hostd workflow`: register, activate and look at workflows."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import workflow_tests, workflow_tools
from hostd.cli.applying import apply_one, faults_of, warn_of
from hostd.cli.complaints import violation_line
from hostd.cli.completing import complete_files, complete_versions, complete_workflows
from hostd.cli.document_kinds import documents_only
from hostd.cli.inputs import file_label, read_text
from hostd.cli.lazy import Noun
from hostd.cli.printing import NOTHING, say, warn
from hostd.cli.progress import Progress
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, columns, fields
from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import workflow_service_pb2 as pb
else:
    pb = lazily("hostd.v1.workflow_service_pb2")

EXIT_INVALID = CODES[Kind.INVALID].exit
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)  # at a line's beginning it always separates documents


@click.group(cls=Noun)
def workflow() -> None:
    """Register, activate and look at workflows."""


def documents_of(text: str) -> Iterator[str]:
    """Yield the documents of a text, each behind as many empty lines as stand before it, so that places stay true."""
    starts = [0, *(found.end() for found in _MARKER.finditer(text)), len(text) + len("---")]
    parts = [(start, text[start : after - len("---")]) for start, after in itertools.pairwise(starts)]
    parts = [(start, part) for start, part in parts if _says_something(part)]
    for start, part in parts:
        yield "\n" * text.count("\n", 0, start) + part if len(parts) > 1 else text


def _says_something(part: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") and line[0] != "%" for line in part.splitlines())


@workflow.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option("--activate/--no-activate", default=True, show_default=True, help="Make it the active version.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once (one document).")
@remote
def register(session: Session, files: tuple[str, ...], activate: bool, request_id: str) -> None:
    """Register the documents of FILES (- is standard input), and make them the active versions.

    The same document again adds nothing. Where another version is active by then, it becomes the active one again,
    and a warning says so; --no-activate leaves that as it is.

    Documents with `trigger: NAME` beside them are applied, as by `hostd trigger apply`.
    """
    texts = documents_only((file, read_text(file)) for file in files)
    documents = [(file, document) for file, text in texts for document in documents_of(text)]
    if not documents:
        raise invalid("DOCUMENT_INVALID", "there is no document in what was given")
    own, alone = [each for each in documents if _is_trigger(each[1])], len(documents) == 1
    with Progress("registering") as progress:
        for done, (file, document) in enumerate(documents, 1):
            if (file, document) in own:
                continue
            _register_one(session, file, document, activate=activate, request_id=request_id if alone else "")
            progress.note(done, len(documents), unit="documents")
    for file, document in own:  # behind the workflows that they may start
        apply_one(session, document, file, request_id=request_id if alone else "")


def _register_one(session: Session, file: str, document: str, *, activate: bool, request_id: str) -> None:
    request = pb.RegisterWorkflowRequest(
        namespace=session.namespace,
        document=document,
        activate=activate,
        file=file_label(file),
        request_id=request_id,
    )
    answer = _registered(session, request)
    warn_of(answer.warnings, f"{file_label(file)}: ")
    session.show(answer, _registration)


def _is_trigger(document: str) -> bool:
    """Say whether a document is a trigger of its own."""
    if "trigger" not in document:
        return False
    from hostd.cli.local_documents import is_trigger_text

    return is_trigger_text(document)


def _registered(session: Session, request: pb.RegisterWorkflowRequest) -> pb.RegisterWorkflowResponse:
    try:
        return session.call(session.client.workflows.RegisterWorkflow, request)
    except HostdError as error:
        if error.reason != "DOCUMENT_INVALID":
            raise
        faults = tuple(faults_of(session, request.document, request.file)[0]) or error.violations
        raise HostdError(error.kind, error.reason, error.message, violations=faults) from None


def _registration(answer: Any) -> str:
    named = answer["workflow"]
    version = (named["version"] or {}).get("version") or named["active_version"]
    active = "active" if version == named["active_version"] else f"active is {named['active_version'] or 'none'}"
    return f"{named['workflow']} {version} {'registered' if answer['created'] else 'was registered already'}, {active}"


@workflow.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@remote
def validate(session: Session, files: tuple[str, ...]) -> int:
    """Check documents with the plugins that the daemon has loaded; registers nothing."""
    found: list[Violation] = []
    for file, text in documents_only((file, read_text(file)) for file in files):
        faults, warnings = faults_of(session, text, file_label(file))
        found += faults
        for warning in warnings:
            warn(f"{file_label(file)}: warning: {clean(warning)}")
    session.out.many([fault._asdict() for fault in found], lambda _: "\n".join(map(violation_line, found)))
    return EXIT_INVALID if found else 0


@workflow.command(name="list")
@remote
def list_workflows(session: Session) -> None:
    """List workflows by name."""
    request = pb.ListWorkflowsRequest(namespace=session.namespace)
    pages = session.pages(session.client.workflows.ListWorkflows, request)
    session.list((item for page in pages for item in page.workflows), _listing, none=NOTHING)


def _listing(workflows: list[Any]) -> str:
    return columns(
        ("WORKFLOW", "ACTIVE", "ACTIVATED"),
        [(item["workflow"], item["active_version"] or "-", item["activate_time"]) for item in workflows],
    )


@workflow.command()
@click.argument("name", shell_complete=complete_workflows)
@click.option("--version", metavar="V", default="", help="Else the active version.")
@click.option("--source", is_flag=True, help="Print the document as it was registered, and nothing else.")
@remote
def show(session: Session, name: str, version: str, source: bool) -> None:
    """Show a workflow and one of its versions."""
    request = pb.GetWorkflowRequest(namespace=session.namespace, workflow=name, version=version)
    answer = session.call(session.client.workflows.GetWorkflow, request)
    if source:
        text = answer.version.source
        say(clean(text) if sys.stdout.isatty() else text.removesuffix("\n"))
        return
    session.show(answer, _whole)


def _whole(item: Any) -> str:
    version = item["version"] or {}
    head = fields(
        [
            ("workflow", item["workflow"]),
            ("active", item["active_version"] or "none"),
            ("activated", item["activate_time"]),
            ("version", version.get("version")),
            ("description", version.get("description")),
            ("digest", version.get("digest")),
            ("registered", version.get("register_time")),
            ("principal", version.get("principal")),
        ]
    )
    source = (version.get("source") or "").strip("\n")
    return f"{head}\n\n{clean(source)}" if source else head


@workflow.command()
@click.argument("name", shell_complete=complete_workflows)
@remote
def versions(session: Session, name: str) -> None:
    """List the versions of a workflow, newest first."""
    request = pb.ListWorkflowVersionsRequest(namespace=session.namespace, workflow=name)
    answer = session.call(session.client.workflows.ListWorkflowVersions, request)
    session.list(answer.versions, _versions)


def _versions(found: list[Any]) -> str:
    return columns(
        ("VERSION", "ACTIVE", "REGISTERED", "+DIGEST", "DESCRIPTION"),
        [
            (item["version"], "yes" if item["active"] else "", item["register_time"], item["digest"][:12],
             item["description"])
            for item in found
        ],
    )  # fmt: skip


@workflow.command()
@click.argument("name", shell_complete=complete_workflows)
@click.argument("version", shell_complete=complete_versions)
@click.option("--expect", metavar="V", help="Only if this version is active now ('' for none).")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def activate(session: Session, name: str, version: str, expect: str | None, request_id: str) -> None:
    """Make VERSION the active one: new runs take it, and its triggers live. Rolling back is activating."""
    _activate(session, name, version, expect, request_id)


@workflow.command()
@click.argument("name", shell_complete=complete_workflows)
@click.option("--expect", metavar="V", help="Only if this version is active now.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def deactivate(session: Session, name: str, expect: str | None, request_id: str) -> None:
    """Leave a workflow without an active version: its triggers stop, and starts must name a version."""
    _activate(session, name, "", expect, request_id)


def _activate(session: Session, name: str, version: str, expect: str | None, request_id: str) -> None:
    request = pb.ActivateWorkflowRequest(
        namespace=session.namespace, workflow=name, version=version, expected_active=expect, request_id=request_id
    )
    answer = session.call(session.client.workflows.ActivateWorkflow, request)
    warn_of(answer.warnings)
    session.show(answer, lambda item: f"{item['workflow']}: active is {item['active_version'] or 'none'}")


@workflow.command()
@click.argument("name", shell_complete=complete_workflows)
@click.option("--version", metavar="V", default="", help="Only this version; else all of them.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def delete(session: Session, name: str, version: str, request_id: str) -> None:
    """Delete a workflow with all its versions, or one version. Refused while live runs use it."""
    request = pb.DeleteWorkflowRequest(
        namespace=session.namespace, workflow=name, version=version, request_id=request_id
    )
    answer = session.call(session.client.workflows.DeleteWorkflow, request)
    session.show(answer, lambda _: f"deleted {name} {version}".rstrip())


for _command in (*workflow_tools.COMMANDS, workflow_tests.test):
    workflow.add_command(_command)
