"""Preparing a start: everything that can be checked and computed before the engine loop sees it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from hostd.definition.inputs import InputContract
from hostd.definition.plan import Plan
from hostd.engine.decide import SEMANTICS
from hostd.errors.base import HostdError, Kind
from hostd.model.ids import make_run_id, placement_hash, stored_id
from hostd.model.messages import Begin
from hostd.model.payload import DOOR_BYTES_MAX, EVENT_BYTES_MAX, to_blob, value_size_bytes
from hostd.model.records import RunStarted
from hostd.values.json_text import dump_json, parse_json

_UNPARSED: Any = object()


_NO_ENV: dict[str, str] = {}  # shared by all runs whose documents read none; never changed


class Ready:
    """A version as intake needs it."""

    __slots__ = ("__weakref__", "contract", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.contract = InputContract(plan.inputs)


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A start that only needs a turn."""

    namespace: str
    plan: Any  # Plan
    run_id: str
    message: Begin
    key: str = ""
    request_id: str = ""
    digest: bytes = b""  # of the request's content, for comparing a repeated request id
    on_open: str = "FAIL"
    principal: str = ""
    on_closed: str = "ALLOW"

    @property
    def workflow(self) -> str:
        """Name of the workflow it starts."""
        return str(self.plan.workflow)

    @property
    def size_bytes(self) -> int:
        """What it holds while it waits."""
        signal = self.message.signal
        return value_size_bytes(self.message.started.input) + (len(signal.data) if signal is not None else 0)


class StartMaker:
    """Makes prepared starts. `environ` names that documents may read are allow-listed by the operator."""

    def __init__(
        self, *, random: Random, env_allowed: Collection[str], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._random = random
        self._environ = environ
        self._env: dict[str, str] = {}
        self.allow_env(env_allowed)

    def allow_env(self, names: Collection[str]) -> None:
        """Let documents read these variables, as they are now, and no others; runs that began keep what they read."""
        self.give_env({name: self._environ[name] for name in names if name in self._environ})

    def env_missing(self, names: Collection[str]) -> Sequence[str]:
        """Return those of the names that documents read as an empty text: not allowed, or not set."""
        return [name for name in names if name not in self._env]

    def give_env(self, variables: Mapping[str, str]) -> None:
        """Let documents read these variables, whatever the process's are."""
        self._env = dict(variables)

    def prepare(
        self,
        ready: Ready,
        *,
        namespace: str,
        input_json: bytes,
        now_ms: int,
        input_value: Any = _UNPARSED,
        key: str = "",
        request_id: str = "",
        labels: dict[str, str] | None = None,
        trigger: str = "",
        event_id: str = "",
        trace: str = "",
        digest: bytes = b"",
        on_open: str = "FAIL",
        on_closed: str = "ALLOW",
        principal: str = "",
        placement_text: str = "",
    ) -> Prepared:
        """Return a start.

        Args:
            input_value: what `input_json` says, where the caller has parsed it already.
            placement_text: stands in for the request id where the run id is made (a start that an event caused).

        Raises:
            HostdError: INPUT_INVALID, PAYLOAD_TOO_LARGE.
        """
        plan = ready.plan
        limit = EVENT_BYTES_MAX if placement_text else DOOR_BYTES_MAX
        data = self._input(ready, input_json, input_value, limit)
        value, blob = to_blob(data)
        request = request_id or placement_text
        run_id = self.new_run_id(namespace, plan.workflow, key=key, request_id=request, now_ms=now_ms)
        started = RunStarted(
            run_id=stored_id(run_id),
            workflow=plan.workflow,
            version=plan.version,
            digest=plan.digest,
            semantics=SEMANTICS,
            input=value,
            key=key,
            labels={**plan.labels, **labels} if labels else plan.labels,
            env={name: self._env.get(name, "") for name in plan.env_names} if plan.env_names else _NO_ENV,
            trigger=trigger,
            event_id=event_id,
            request_id=request,
            traceparent=trace,
        )
        message = Begin(started, (blob,) if blob is not None else ())
        return Prepared(namespace, plan, run_id, message, key, request_id, digest, on_open, principal, on_closed)

    def new_run_id(self, namespace: str, workflow: str, *, key: str, request_id: str, now_ms: int) -> str:
        """Return a fresh run id; runs of one key, and tries of one request, share their placement."""
        if key:
            placement = placement_hash(namespace, workflow, "key", key)
        elif request_id:
            placement = placement_hash(namespace, workflow, "request", request_id)
        else:
            bits = self._random.getrandbits(82)  # asked for once: the system's own dice cost a call each
            return make_run_id(bits >> 66, now_ms, bits)
        return make_run_id(placement, now_ms, self._random.getrandbits(66))

    def _input(self, ready: Ready, input_json: bytes, input_value: Any, limit: int) -> bytes:
        if len(input_json) > limit:
            message = f"the input has {len(input_json)} bytes; {limit} are allowed"
            raise HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", message)
        data = input_json or b"{}"
        if ready.plan.inputs is None:
            return data
        value = parse_json(data) if input_value is _UNPARSED else input_value
        filled = ready.contract.accept(value)
        return data if filled is value else dump_json(filled)


def event_request_id(trigger: str, event_id: str) -> str:
    """Return the request id of a start that an event caused."""
    return hashlib.blake2b(f"{trigger}\x00{event_id}".encode(), digest_size=16).hexdigest()
