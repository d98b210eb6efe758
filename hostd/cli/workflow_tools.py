"""`hostd workflow`, second half: graph, diff and export, of files without a daemon too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import graphs
from hostd.cli.completing import complete_documents, complete_workflows
from hostd.cli.inputs import read_text
from hostd.cli.lazy import Verb
from hostd.cli.printing import say, warn
from hostd.cli.run_names import run_ref
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, paint, shortened
from hostd.cli.terminal import colored, fitted_width
from hostd.errors.base import HostdError, Kind, invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as runs_pb
    from hostd.v1 import trigger_service_pb2 as triggers_pb
    from hostd.v1 import workflow_service_pb2 as pb
else:
    pb = lazily("hostd.v1.workflow_service_pb2")
    runs_pb = lazily("hostd.v1.run_service_pb2")
    triggers_pb = lazily("hostd.v1.trigger_service_pb2")

EXIT_DIFFERENT = 1
NAMES_HELP = "What holds a dot or a slash, and -, is a file; else it is a registered workflow: NAME or NAME@VERSION."


def is_file(text: str) -> bool:
    """Say whether an argument names a file: names of workflows hold neither dot nor slash."""
    name = text.partition("@")[0]
    return text == "-" or "/" in name or "." in name


def source_of(session: Session, text: str) -> str:
    """Return the document that an argument names. Raises ARGUMENT_INVALID, WORKFLOW_MISSING, VERSION_MISSING."""
    if is_file(text):
        return read_text(text)
    name, _, version = text.partition("@")
    request = pb.GetWorkflowRequest(namespace=session.namespace, workflow=name, version=version)
    answer = session.call(session.client.workflows.GetWorkflow, request)
    if not answer.HasField("version"):
        message = f"{name} has no active version; name one: {name}@VERSION"
        raise HostdError(Kind.STATE, "WORKFLOW_INACTIVE", message, details={"workflow": name})
    return answer.version.source


@click.command(cls=Verb, epilog=NAMES_HELP)
@click.argument("what", required=False, default="", metavar="[FILE|NAME[@VERSION]]", shell_complete=complete_documents)
@click.option("--format", "form", type=click.Choice(graphs.FORMATS), default="text", show_default=True,
              help="text for people, mermaid for Markdown pages, dot for Graphviz.")  # fmt: skip
@click.option("--run", metavar="RUN", help="Colour the steps as they are in this run; alone, draw that run.")
@remote
def graph(session: Session, what: str, form: str, run: str | None) -> None:
    """Draw a workflow: its triggers, its steps behind what they need, its handlers."""
    if not what and run is None:
        raise invalid("ARGUMENT_INVALID", "say what to draw: a FILE, the NAME of a workflow, or --run RUN")
    drawn: graphs.Graph | None = None
    if run is not None:
        drawn = _graph_of_run(session, run)
    if what:
        from hostd.cli.local_documents import document_value

        of_document = graphs.graph_of_document(document_value(source_of(session, what), what))
        drawn = graphs.with_states(of_document, drawn) if drawn is not None else of_document
    assert drawn is not None  # noqa: S101 one of the two was given
    if session.out.form != "table":
        session.out.one(_plain(drawn), lambda _: "")
    elif form == "text":
        say(graphs.text_graph(drawn, color=colored()))
    else:
        say(graphs.mermaid_graph(drawn) if form == "mermaid" else graphs.dot_graph(drawn))


def _graph_of_run(session: Session, run: str) -> graphs.Graph:
    from hostd.cli.plain import plain

    request = runs_pb.GetRunRequest(namespace=session.namespace, run=run_ref(run))
    return graphs.graph_of_run(plain(session.call(session.client.runs.GetRun, request)))


def _plain(graph: graphs.Graph) -> dict[str, Any]:
    nodes = [{**node._asdict(), "needs": list(node.needs)} for node in graph.nodes]
    triggers = [{"name": name, "uses": uses} for name, uses in graph.triggers]
    return {"name": graph.title, "nodes": nodes, "triggers": triggers}


@click.command(cls=Verb, epilog=NAMES_HELP)
@click.argument("first", metavar="A", shell_complete=complete_documents)
@click.argument("second", required=False, default="", metavar="[B]", shell_complete=complete_documents)
@click.option("--exit-code", is_flag=True, help="Exit with 1 where they differ.")
@remote
def diff(session: Session, first: str, second: str, exit_code: bool) -> int:
    """Say how document B differs from A: steps and other keys by their paths. Order and comments do not count.

    A FILE alone is compared with the active version of the workflow that it holds.
    """
    if not second:
        first, second = _registered_of(first), first
    found = _differences(session, first, second)
    session.out.many(found, lambda items: "\n".join(_line(item) for item in items))
    if not found:
        warn("no difference")
    return EXIT_DIFFERENT if found and exit_code else 0


def _registered_of(file: str) -> str:
    """Return the workflow that a file holds. Raises ARGUMENT_INVALID."""
    from hostd.cli.local_documents import document_value

    document = document_value(read_text(file), file) if is_file(file) and file != "-" else None
    name = document.get("workflow") if isinstance(document, dict) else None
    if not isinstance(name, str):
        raise invalid("ARGUMENT_INVALID", "say what to compare: A and B, or a FILE that holds a workflow")
    return name


def _differences(session: Session, first: str, second: str) -> list[dict[str, Any]]:
    (name, _, one), (other_name, _, other) = first.partition("@"), second.partition("@")
    if not is_file(first) and not is_file(second) and name == other_name:
        request = pb.DiffWorkflowVersionsRequest(
            namespace=session.namespace, workflow=name, from_version=one, to_version=other
        )
        answer = session.call(session.client.workflows.DiffWorkflowVersions, request)
        if answer.truncated:
            warn("there are more differences than the daemon tells")
        from hostd.cli.plain import plain

        return [plain(item) for item in answer.differences]
    from hostd.cli.local_documents import differences

    return differences(source_of(session, first), source_of(session, second))


_SIGNS = {"ADDED": "+", "REMOVED": "-", "CHANGED": "~"}


def _line(item: dict[str, Any]) -> str:
    kind = item["kind"]
    shown = {"ADDED": item["after"], "REMOVED": item["before"]}.get(kind, f"{item['before']} -> {item['after']}")
    text = clean(f"{_SIGNS[kind]} {item['path']}: {shown}")
    room = fitted_width()
    text = shortened(text, room) if room is not None else text
    return paint(kind).replace(kind, text) if colored() else text


@click.command(cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME[@VERSION]...]", shell_complete=complete_workflows)
@click.option("--dir", "folder", metavar="DIR", help="Write NAME.yaml for each into this folder; else print them.")
@click.option("--triggers", is_flag=True, help="Also the triggers of their own.")
@remote
def export(session: Session, names: tuple[str, ...], folder: str | None, triggers: bool) -> None:
    """Print documents as they were registered: of the workflows that are named, else the active version of each.

    Several are parted by `---`: `hostd workflow register -` takes them again.
    """
    written: list[dict[str, str]] = []
    for at, (name, text) in enumerate(_documents(session, names, triggers=triggers)):
        if folder is not None:
            written.append({"file": _write(Path(folder), name, text)})
        else:
            say(("---\n" if at else "") + text.strip("\n"))
    if folder is not None:
        session.out.many(written, lambda items: "\n".join(item["file"] for item in items))


def _documents(session: Session, names: tuple[str, ...], *, triggers: bool) -> Iterator[tuple[str, str]]:
    for name in names or _active(session):
        if is_file(name):
            raise invalid("ARGUMENT_INVALID", f"{name[:80]!r} is no name of a workflow")
        yield name.partition("@")[0], source_of(session, name)
    if triggers:
        request = triggers_pb.ListTriggersRequest(namespace=session.namespace)
        for page in session.pages(session.client.triggers.ListTriggers, request):
            for item in page.triggers:
                if not item.workflow:
                    asked = triggers_pb.GetTriggerRequest(namespace=session.namespace, name=item.name)
                    yield item.name, session.call(session.client.triggers.GetTrigger, asked).source


def _active(session: Session) -> Iterator[str]:
    request = pb.ListWorkflowsRequest(namespace=session.namespace)
    for page in session.pages(session.client.workflows.ListWorkflows, request):
        yield from (item.workflow for item in page.workflows if item.active_version)


def _write(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{path} cannot be written: {error.strerror}") from None
    return str(path)


COMMANDS = (graph, diff, export)
