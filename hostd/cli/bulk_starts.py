"""Starting many runs: JSON lines in batches, each line accepted or refused by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from hostd.cli import run_views
from hostd.cli.complaints import complain, exit_code
from hostd.cli.inputs import file_label, read_lines
from hostd.cli.plain import plain
from hostd.cli.printing import warn
from hostd.cli.progress import Progress
from hostd.cli.session import Session
from hostd.client import to_payload
from hostd.errors.base import HostdError, Kind, invalid
from hostd.errors.reasons import REASONS
from hostd.v1 import run_service_pb2 as pb
from hostd.values.json_text import JsonValue, parse_json

BATCH = 500
_TEXTS = ("workflow", "version", "key", "request_id")
_KEYS = (*_TEXTS, "input", "labels", "on_open", "on_closed")


def start_many(session: Session, file: str, defaults: pb.StartSpec) -> int:
    """Start a run for each line of a file; return 0, or the exit code of the first refusal."""
    code = started = refused = 0
    lines = enumerate(read_lines(file), 1)
    with Progress("starting runs") as progress:
        while batch := list(islice(((number, line) for number, line in lines if line.strip()), BATCH)):
            for number, result in _started(session, file, batch, defaults):
                if isinstance(result, HostdError):
                    complain(result, about=f"{file_label(file)}:{number}")
                    refused, code = refused + 1, code or exit_code(result)
                else:
                    started += 1
                    session.show(result, run_views.started_line)
            progress.note(started + refused, unit="lines")
    if refused:
        warn(f"{started} started, {refused} refused")
    return code


def _started(
    session: Session, file: str, batch: list[tuple[int, bytes]], defaults: pb.StartSpec
) -> Iterator[tuple[int, pb.StartRunResponse | HostdError]]:
    """Yield what became of each line, in order. Raises HostdError where the whole batch was refused."""
    specs: list[tuple[int, pb.StartSpec | HostdError]] = []
    for number, line in batch:
        try:
            specs.append((number, spec_of(line, defaults)))
        except HostdError as error:
            specs.append((number, error))
    good = [spec for _, spec in specs if not isinstance(spec, HostdError)]
    request = pb.StartRunsRequest(namespace=session.namespace, starts=good)
    results = iter(session.call(session.client.runs.StartRuns, request).results if good else ())
    for number, spec in specs:
        yield number, spec if isinstance(spec, HostdError) else _result(next(results))


def _result(result: pb.StartRunsResult) -> pb.StartRunResponse | HostdError:
    if result.HasField("started"):
        return result.started
    failure = plain(result.failure)
    reason: str = failure["reason"]
    page = REASONS.get(reason)
    return HostdError(page.kind if page is not None else Kind.INVALID, reason, failure["message"])


def spec_of(line: bytes, defaults: pb.StartSpec) -> pb.StartSpec:
    """Return the start that a line says, over what options said. Raises ARGUMENT_INVALID, PAYLOAD_INVALID."""
    value = parse_json(line)
    if not isinstance(value, dict):
        raise invalid("ARGUMENT_INVALID", 'a line is an object such as {"workflow": "w", "input": {}}')
    if unknown := [key for key in value if key not in _KEYS]:
        raise invalid("ARGUMENT_INVALID", f"a line has no {unknown[0][:80]!r}; it has {', '.join(_KEYS)}")
    spec = pb.StartSpec()
    spec.CopyFrom(defaults)
    for key in _TEXTS:
        if key in value:
            setattr(spec, key, _text(key, value[key]))
    if "input" in value:
        spec.input.CopyFrom(to_payload(value["input"]))
    for name, label in _labels(value.get("labels")):
        spec.labels[name] = label
    for key in ("on_open", "on_closed"):
        if key in value:
            _set_choice(spec, key, _text(key, value[key]))
    if not spec.workflow:
        raise invalid("ARGUMENT_INVALID", "neither the line nor the command names a workflow")
    return spec


def _text(key: str, value: JsonValue) -> str:
    if not isinstance(value, str):
        raise invalid("ARGUMENT_INVALID", f"`{key}` is a text")
    return value


def _labels(value: JsonValue) -> Iterable[tuple[str, str]]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise invalid("ARGUMENT_INVALID", "`labels` is an object of texts")
    return [(name, _text(f"labels.{name}", text)) for name, text in value.items()]


def _set_choice(spec: pb.StartSpec, key: str, text: str) -> None:
    word = f"{key}_{text}".upper().replace("-", "_")
    try:
        setattr(spec, key, word)
    except ValueError:
        known = [name.removeprefix(f"{key.upper()}_").lower() for name in _words(key)]
        raise invalid("ARGUMENT_INVALID", f"`{key}` is one of {', '.join(known)}, not {text[:80]!r}") from None


def _words(key: str) -> list[str]:
    values = (pb.OnOpen if key == "on_open" else pb.OnClosed).items()
    return [name for name, number in values if number]
