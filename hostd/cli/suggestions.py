"""Did you mean: the name nearest to one that is not there, among those that the daemon knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

from hostd.errors.base import HostdError
from hostd.values.json_text import dump_json
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import grpc

    from hostd.client import BlockingConnection
    from hostd.v1 import (
        plugin_service_pb2,
        run_service_pb2,
        secret_service_pb2,
        trigger_service_pb2,
        workflow_service_pb2,
    )
else:
    plugin_service_pb2 = lazily("hostd.v1.plugin_service_pb2")
    run_service_pb2 = lazily("hostd.v1.run_service_pb2")
    secret_service_pb2 = lazily("hostd.v1.secret_service_pb2")
    trigger_service_pb2 = lazily("hostd.v1.trigger_service_pb2")
    workflow_service_pb2 = lazily("hostd.v1.workflow_service_pb2")

_QUOTED = re.compile(r"'([^']+)'|secret (\w+)")  # where an error only says the name in its sentence
LOOK_S = 2.0
LOOKED_AT = 1000
RUNS_SHOWN_MAX = 3
Q = TypeVar("Q")
A = TypeVar("A")


class Asking(Protocol):
    """What asks the daemon (session.py)."""

    namespace: str

    @property
    def client(self) -> BlockingConnection: ...

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, *, timeout_s: float) -> A: ...


def with_suggestion(session: Asking, error: HostdError) -> HostdError:
    """Return the error of a name that is not there, with the nearest one that is; as it was where none is near."""
    if error.reason == "ARGUMENT_INVALID":
        return _with_run(session, error)
    names, wanted = _NAMES.get(error.reason), _wanted(error)
    if names is None or not wanted or "did you mean" in error.message:
        return error
    try:
        near = difflib.get_close_matches(wanted, list(names(session, error)), n=1, cutoff=0.6)
    except HostdError:
        return error
    if not near:
        return error
    return HostdError(
        error.kind,
        error.reason,
        f"{error.message}; did you mean {near[0]}?",
        details=error.details,
        violations=error.violations,
    )


def _with_run(session: Asking, error: HostdError) -> HostdError:
    """Return the error of what is no run id, with the runs that may be meant; as it was where there are none."""
    wanted = _wanted(error)
    try:
        begun = [run_id for run_id in run_ids(session) if run_id.startswith(wanted)] if wanted else []
        newest = "" if begun or not wanted else _newest_run(session, wanted)
    except HostdError:
        return error
    if not begun and not newest:
        return error
    hint = (
        f"the newest run of {wanted} is {newest}" if newest else f"did you mean {' or '.join(begun[:RUNS_SHOWN_MAX])}?"
    )
    return HostdError(error.kind, error.reason, f"'{wanted}' is no run id; {hint}", details=error.details)


def _newest_run(session: Asking, workflow: str) -> str:
    request = run_service_pb2.ListRunsRequest(
        namespace=session.namespace, page_size=1, filter=f"workflow == {dump_json(workflow).decode()}"
    )
    found = session.call(session.client.runs.ListRuns, request, timeout_s=LOOK_S).runs
    return found[0].run_id if found else ""


def _wanted(error: HostdError) -> str:
    """Return the name that was looked for."""
    fields = ("run_id", "trigger", "version", "workflow", "id")
    told = next((error.details[field] for field in fields if error.details.get(field)), "")
    quoted = _QUOTED.search(error.message)
    return (told or (quoted[1] or quoted[2] if quoted else ""))[:256]


def workflow_names(session: Asking, _: HostdError | None = None) -> Iterable[str]:
    """Return the names of workflows."""
    request = workflow_service_pb2.ListWorkflowsRequest(namespace=session.namespace, page_size=LOOKED_AT)
    answer = session.call(session.client.workflows.ListWorkflows, request, timeout_s=LOOK_S)
    return [item.workflow for item in answer.workflows]


def _versions(session: Asking, error: HostdError) -> Iterable[str]:
    return version_names(session, error.details.get("workflow", ""))


def version_names(session: Asking, workflow: str) -> Iterable[str]:
    """Return the versions of a workflow."""
    request = workflow_service_pb2.ListWorkflowVersionsRequest(
        namespace=session.namespace, workflow=workflow, page_size=LOOKED_AT
    )
    answer = session.call(session.client.workflows.ListWorkflowVersions, request, timeout_s=LOOK_S)
    return [item.version for item in answer.versions]


def run_ids(session: Asking, _: HostdError | None = None) -> Iterable[str]:
    """Return the ids of the newest runs."""
    request = run_service_pb2.ListRunsRequest(namespace=session.namespace, page_size=LOOKED_AT)
    return [run.run_id for run in session.call(session.client.runs.ListRuns, request, timeout_s=LOOK_S).runs]


def trigger_names(session: Asking, _: HostdError | None = None) -> Iterable[str]:
    """Return the names of triggers, WORKFLOW/NAME; of their own NAME."""
    request = trigger_service_pb2.ListTriggersRequest(namespace=session.namespace, page_size=LOOKED_AT)
    answer = session.call(session.client.triggers.ListTriggers, request, timeout_s=LOOK_S)
    return [f"{item.workflow}/{item.name}" if item.workflow else item.name for item in answer.triggers]


def plugin_names(session: Asking, _: HostdError | None = None) -> Iterable[str]:
    """Return the ids of plugins and of what they provide."""
    request = plugin_service_pb2.ListPluginsRequest(namespace=session.namespace)
    plugins = session.call(session.client.plugins.ListPlugins, request, timeout_s=LOOK_S).plugins
    return [each for plugin in plugins for each in (plugin.id, *(component.id for component in plugin.components))]


def secret_names(session: Asking, _: HostdError | None = None) -> Iterable[str]:
    """Return the names of secrets."""
    request = secret_service_pb2.ListSecretsRequest(namespace=session.namespace, page_size=LOOKED_AT)
    return [item.name for item in session.call(session.client.secrets.ListSecrets, request, timeout_s=LOOK_S).secrets]


_NAMES: dict[str, Callable[[Asking, HostdError], Iterable[str]]] = {
    "WORKFLOW_MISSING": workflow_names,
    "VERSION_MISSING": _versions,
    "RUN_MISSING": run_ids,
    "TRIGGER_MISSING": trigger_names,
    "PLUGIN_MISSING": plugin_names,
    "SECRET_MISSING": secret_names,
}
