"""RunService: from the wire to the port and back. Starting and steering here, reading and watching beside it."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.checks import check_namespace, check_why, fault
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.runs import (
    read_ref,
    read_signal,
    read_signaling_start,
    read_start,
    refused_message,
    started_message,
    whole_run,
)
from hostd.api.log_tailing import LogTailing
from hostd.api.run_ports import Runs
from hostd.api.run_reading import RunReading
from hostd.api.run_watching import RunWatching
from hostd.api.tokens import Tokens
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import HostdError, Kind
from hostd.model.requests import STARTS_MAX, Repeat, RunRef, StartRequest
from hostd.model.views import StartedRun
from hostd.v1 import run_service_pb2 as wire
from hostd.v1.run_pb2 import Run
from hostd.v1.run_service_pb2_grpc import RunServiceServicer
from hostd.values.json_text import JsonValue

ANSWER_S = 0.25  # what an answer before the caller's deadline needs, at most; a tenth of the time for shorter ones


class RunService(RunReading, RunWatching, LogTailing, RunServiceServicer):
    """Runs: start, watch and steer them."""

    def __init__(self, runs: Runs, tokens: Tokens, seats: WatchSeats) -> None:
        self._runs = runs
        self._tokens = tokens
        self._seats = seats

    async def StartRun(self, request: wire.StartRunRequest, context: Any) -> wire.StartRunResponse:
        """Start a run."""
        return started_message(await self._start(request.namespace, request.start))

    async def StartRuns(self, request: wire.StartRunsRequest, context: Any) -> wire.StartRunsResponse:
        """Start many; each is refused or accepted by itself."""
        if not 0 < len(request.starts) <= STARTS_MAX:
            raise fault("starts", f"send 1 to {STARTS_MAX} starts, not {len(request.starts)}")
        caller = CALLER.get()
        results: list[StartedRun | HostdError | None] = []
        starts: list[StartRequest] = []
        for number, spec in enumerate(request.starts):
            try:
                starts.append(read_start(spec, f"starts[{number}]", caller.trace))
                results.append(None)
            except HostdError as error:
                results.append(error)
        if starts:
            namespace = check_namespace(request.namespace)
            answers = iter(await self._runs.start(namespace, starts, principal=caller.principal))
            results = [next(answers) if result is None else result for result in results]
        return wire.StartRunsResponse(results=[_result(result) for result in results])

    async def ExecuteRun(self, request: wire.ExecuteRunRequest, context: Any) -> Run:
        """Start a run and wait for its end, or until just before the caller's deadline."""
        started = await self._start(request.namespace, request.start)
        remaining_s = context.time_remaining()
        wait_s = None if remaining_s is None else max(0.0, remaining_s - min(ANSWER_S, remaining_s / 10))
        try:
            async with asyncio.timeout(wait_s):
                return whole_run(await self._runs.wait_end(check_namespace(request.namespace), started.run_id))
        except TimeoutError:
            message = (
                f"the deadline came before the end of the run {started.run_id}, which goes on; watch it, or get it"
            )
            raise HostdError(Kind.TIMEOUT, "WAIT_EXPIRED", message, details={"run_id": started.run_id}) from None

    async def _start(self, namespace: str, spec: wire.StartSpec) -> StartedRun:
        caller = CALLER.get()
        start = read_start(spec, "start", caller.trace)
        (result,) = await self._runs.start(check_namespace(namespace), (start,), principal=caller.principal)
        if isinstance(result, HostdError):
            raise result
        return result

    async def SignalRun(self, request: wire.SignalRunRequest, context: Any) -> wire.SignalRunResponse:
        """Tell an open run something."""
        ref = read_ref(request.run)
        signal = read_signal(request.signal, request.data if request.HasField("data") else None)
        named = {**_named(ref), "signal": signal.name, "data": signal.value}
        repeat = repeat_of(request.request_id, named)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        told = await self._runs.signal(namespace, ref, signal, principal=principal, repeat=repeat)
        return wire.SignalRunResponse(run_id=told.run_id, repeated=told.repeated)

    async def SignalWithStart(self, request: wire.SignalWithStartRequest, context: Any) -> wire.SignalWithStartResponse:
        """Tell the open run of a key something; start it first where there is none."""
        caller = CALLER.get()
        signal = read_signal(request.signal, request.data if request.HasField("data") else None)
        start = read_signaling_start(request.start, signal, caller.trace)
        namespace = check_namespace(request.namespace)
        started = await self._runs.signal_with_start(namespace, start, signal, principal=caller.principal)
        return wire.SignalWithStartResponse(run_id=started.run_id, existing=started.existing, version=started.version)

    async def CancelRun(self, request: wire.CancelRunRequest, context: Any) -> Run:
        """Stop a run in good order."""
        ref, reason = read_ref(request.run), check_why(request.reason)
        repeat = _repeat(request.request_id, ref, reason)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        return whole_run(await self._runs.cancel(namespace, ref, reason=reason, principal=principal, repeat=repeat))

    async def TerminateRun(self, request: wire.TerminateRunRequest, context: Any) -> Run:
        """End a run at once."""
        ref, reason = read_ref(request.run), check_why(request.reason)
        repeat = _repeat(request.request_id, ref, reason)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        return whole_run(await self._runs.terminate(namespace, ref, reason=reason, principal=principal, repeat=repeat))

    async def PauseRun(self, request: wire.PauseRunRequest, context: Any) -> Run:
        """Let nothing new start."""
        ref, reason = read_ref(request.run), check_why(request.reason)
        repeat = _repeat(request.request_id, ref, reason)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        return whole_run(await self._runs.pause(namespace, ref, reason=reason, principal=principal, repeat=repeat))

    async def ResumeRun(self, request: wire.ResumeRunRequest, context: Any) -> Run:
        """Let a paused run go on."""
        ref = read_ref(request.run)
        repeat = _repeat(request.request_id, ref)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        return whole_run(await self._runs.resume(namespace, ref, principal=principal, repeat=repeat))

    async def DeleteRun(self, request: wire.DeleteRunRequest, context: Any) -> wire.DeleteRunResponse:
        """Delete a finished run."""
        ref = read_ref(request.run)
        repeat = _repeat(request.request_id, ref)
        namespace, principal = check_namespace(request.namespace), CALLER.get().principal
        await self._runs.delete(namespace, ref, principal=principal, repeat=repeat)
        return wire.DeleteRunResponse()


def _repeat(request_id: str, ref: RunRef, reason: str = "") -> Repeat | None:
    return repeat_of(request_id, {**_named(ref), "reason": reason})


def _named(ref: RunRef) -> dict[str, JsonValue]:
    return {"run_id": ref.run_id, "workflow": ref.workflow, "key": ref.key}


def _result(result: StartedRun | HostdError | None) -> wire.StartRunsResult:
    if isinstance(result, StartedRun):
        return wire.StartRunsResult(started=started_message(result))
    missing = HostdError(Kind.BUG, "BUG", "the start has no result")
    return wire.StartRunsResult(failure=refused_message(result or missing))
