"""What a program hands to its host, checked as at every door: the same bounds, the same words, the same repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from hostd.api.convert.checks import check_key, check_labels, check_run, check_version, check_workflow, fault
from hostd.api.convert.digests import repeat_of
from hostd.embedding.run import Run
from hostd.embedding.run_info import RunInfo
from hostd.errors.base import invalid
from hostd.model.ids import is_run_id
from hostd.model.payload import DOOR_BYTES_MAX
from hostd.model.requests import OnClosed, OnOpen, Repeat, RunRef, SignalRequest, StartRequest
from hostd.values.json_text import JsonValue, dump_json, normalize

SIGNAL_NAME_CHARS_MAX = 63


def payload(value: Any, path: str) -> tuple[bytes, JsonValue]:
    """Return a value as JSON text and as JSON types; models and dataclasses become maps.

    Raises:
        HostdError: PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE, PAYLOAD_TOO_LARGE.
    """
    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        value = to_jsonable_python(value, by_alias=True)
    plain = normalize(value)
    data = dump_json(plain)
    if len(data) > DOOR_BYTES_MAX:
        raise invalid("PAYLOAD_TOO_LARGE", f"{path}: the value has {len(data)} bytes; {DOOR_BYTES_MAX} are allowed")
    return data, plain


def start_request(
    workflow: str,
    input: Any,  # noqa: A002 what documents call it
    *,
    version: str,
    key: str,
    request_id: str,
    labels: Mapping[str, str] | None,
    on_open: OnOpen,
    on_closed: OnClosed,
    with_it: Mapping[str, JsonValue] | None = None,
) -> StartRequest:
    """Return a checked start. `with_it`: what else the same request id must mean."""
    data, value = (b"", None) if input is None else payload(input, "input")
    checked = check_labels(labels or {})
    _check_word(on_open, get_args(OnOpen), "on_open")
    _check_word(on_closed, get_args(OnClosed), "on_closed")
    fields: dict[str, JsonValue] = {
        "workflow": check_workflow(workflow), "version": check_version(version), "input": value if data else {},
        "key": check_key(key), "labels": {**checked}, "on_open": on_open, "on_closed": on_closed, **(with_it or {}),
    }  # fmt: skip
    repeat = repeat_of(request_id, fields)
    return StartRequest(workflow, version, data, value, key, checked, repeat, on_open, on_closed)


def _check_word(word: str, known: tuple[str, ...], path: str) -> None:
    if word not in known:
        raise fault(path, f"{word!r:.40} is none of {', '.join(known)}")


def signal_request(name: str, data: Any) -> SignalRequest:
    """Return a checked signal."""
    if not name or len(name) > SIGNAL_NAME_CHARS_MAX:
        raise fault("signal", f"name one of the workflow's `signals`, of 1 to {SIGNAL_NAME_CHARS_MAX} characters")
    text, value = payload(data, "data")
    return SignalRequest(name, text, value)


def run_ref(run: Any) -> RunRef:
    """Return which run is meant, as `Which` says."""
    if isinstance(run, Run | RunInfo):
        return RunRef(run.id)
    if isinstance(run, str) and "/" in run:
        run = tuple(run.split("/", 1))
    if isinstance(run, tuple) and len(run) == 2:
        return check_run(RunRef(workflow=run[0], key=run[1]))
    if not isinstance(run, str) or not is_run_id(run):
        raise fault("run", f"{run!r:.40} is no run id; a run of a key is named by (workflow, key), or WORKFLOW/KEY")
    return RunRef(run)


def repeat_for(request_id: str, ref: RunRef, **fields: JsonValue) -> Repeat | None:
    """Return how a repetition of a request about a run is known."""
    named: dict[str, JsonValue] = {"run_id": ref.run_id, "workflow": ref.workflow, "key": ref.key}
    return repeat_of(request_id, named | fields)
