"""What calls are made of: starts, names of runs, documents, payloads, ids of requests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from hostd.client.payloads import to_payload
from hostd.client.typed_errors import bad_argument, typed
from hostd.errors.base import HostdError
from hostd.v1.payload_pb2 import Payload
from hostd.v1.run_service_pb2 import RunRef, StartSpec

OnOpen: TypeAlias = Literal["FAIL", "USE_EXISTING", "TERMINATE_EXISTING"]
OnClosed: TypeAlias = Literal["ALLOW", "ALLOW_IF_FAILED", "REJECT"]
STARTS_A_MESSAGE = 500
DOCUMENT_BYTES_MAX = 1 << 20


@runtime_checkable
class HasRunId(Protocol):
    """A run, a handle of one, or anything else that knows its run id."""

    @property
    def run_id(self) -> str: ...


RunName: TypeAlias = str | tuple[str, str] | HasRunId
"""A run id, `WORKFLOW/KEY` or (workflow, key) for the newest run with that key, a Run or a RunHandle."""


def new_request_id() -> str:
    """Return an id by which the daemon knows a request again when it comes twice."""
    return os.urandom(16).hex()


@dataclass(frozen=True, slots=True)
class Start:
    """One start of many.

    Args:
        input: a JSON value; nothing means an empty object.
        version: else the active one.
        key: your own name of the run, unique among live runs of the workflow.
        request_id: the same within 24 hours starts nothing twice; made when it is not given.
        on_open: what to do where a live run has the key.
        on_closed: what to do where a finished run has the key.
    """

    workflow: str
    input: Any = None
    version: str = ""
    key: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=new_request_id)
    on_open: OnOpen = "FAIL"
    on_closed: OnClosed = "ALLOW"

    def spec(self, *, signaled: bool = False) -> StartSpec:
        """Return it as a message. Raises HostdError PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE, ARGUMENT_INVALID."""
        spec = StartSpec(
            workflow=self.workflow,
            version=self.version,
            input=None if self.input is None else payload_of(self.input),
            key=self.key,
            labels=self.labels,
            request_id=self.request_id or new_request_id(),
        )
        try:
            if not signaled:
                spec.on_open = "ON_OPEN_" + self.on_open  # type: ignore[assignment]
            spec.on_closed = "ON_CLOSED_" + self.on_closed  # type: ignore[assignment]
        except ValueError:
            choices = "on_open is FAIL, USE_EXISTING or TERMINATE_EXISTING, on_closed ALLOW, ALLOW_IF_FAILED or REJECT"
            raise bad_argument(choices) from None
        return spec


def run_ref(run: RunName) -> RunRef:
    """Return what names a run. Raises ARGUMENT_INVALID for what names none."""
    if not isinstance(run, str | tuple):
        return RunRef(run_id=run.run_id)
    first, slash, key = run.partition("/") if isinstance(run, str) else (run[0], "/", run[1])
    if not first or (slash and not key):
        raise bad_argument(f"{run!r:.80} names no run: give its id, or WORKFLOW/KEY")
    return RunRef(workflow=first, key=key) if slash else RunRef(run_id=first)


def payload_of(value: Any) -> Payload:
    """Return a value as the wire carries it. Raises HostdError PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE."""
    try:
        return to_payload(value)
    except HostdError as error:
        raise typed(error) from None


def document_of(source: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, str]:
    """Return the text of a document and the name of its file, for messages.

    Args:
        source: YAML or JSON text, the path of a file, or the document itself.

    Raises:
        HostdError: ARGUMENT_INVALID for a file that cannot be read.
    """
    if isinstance(source, str):
        return source, ""
    if isinstance(source, Mapping):
        return payload_of(dict(source)).data.decode(), ""
    path = Path(source)
    try:
        with path.open("rb") as file:
            text = file.read(DOCUMENT_BYTES_MAX + 1)
        return text.decode("utf-8"), str(path)
    except OSError as error:
        raise bad_argument(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise bad_argument(f"{path} is not UTF-8 text") from None
