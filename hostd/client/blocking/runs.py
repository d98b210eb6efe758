# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""Runs: starting, waiting for, reading and steering them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.blocking.handle import BlockingRunHandle
from hostd.client.blocking.watch import BlockingWatch
from hostd.client.conversion import result_of
from hostd.client.error_kinds import ClientError, TimedOut
from hostd.client.run_results import LogLine, Logs, Record, Run
from hostd.client.starts import (
    STARTS_A_MESSAGE,
    OnClosed,
    OnOpen,
    RunName,
    Start,
    new_request_id,
    payload_of,
    run_ref,
)
from hostd.client.typed_errors import typed
from hostd.errors.base import HostdError, Kind
from hostd.v1 import run_service_pb2 as pb
from hostd.v1.payload_pb2 import Failure


class RunCalls(BlockingConnection):
    """What is done with runs. A run is named by its id, as `WORKFLOW/KEY`, or by a Run or BlockingRunHandle."""

    # -- starting

    def start(
        self,
        workflow: str,
        input: Any = None,
        *,
        version: str = "",
        key: str = "",
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        on_open: OnOpen = "FAIL",
        on_closed: OnClosed = "ALLOW",
    ) -> BlockingRunHandle:
        """Start a run and return it in hand, once it is durable. See `Start` for the arguments.

        However often the connection is lost, one call starts one run: it carries a request id.

        Raises:
            HostdError: WORKFLOW_MISSING, WORKFLOW_INACTIVE, INPUT_INVALID, RUN_OPEN, ...
        """
        start = Start(workflow, input, version, key, labels or {}, request_id, on_open, on_closed)
        request = pb.StartRunRequest(namespace=self.namespace, start=start.spec())
        return self._in_hand(self._ask(self.runs.StartRun, request))

    def start_many(self, starts: Iterable[Start]) -> list[BlockingRunHandle | ClientError]:
        """Start many runs, 500 a message; return for each, in order, its run in hand, or the error that refused it.

        Raises:
            HostdError: what concerns a whole message; entries of earlier messages have been started then, and the same
                starts given again are answered with the same runs, for each carries its request id.
        """
        results: list[BlockingRunHandle | ClientError] = []
        left = iter(starts)
        while group := [start.spec() for start in islice(left, STARTS_A_MESSAGE)]:
            request = pb.StartRunsRequest(namespace=self.namespace, starts=group)
            answer = self._ask(self.runs.StartRuns, request)
            results += [
                self._in_hand(each.started) if each.HasField("started") else _refusal(each.failure)
                for each in answer.results
            ]
        return results

    def execute(
        self,
        workflow: str,
        input: Any = None,
        *,
        version: str = "",
        key: str = "",
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        on_open: OnOpen = "FAIL",
        on_closed: OnClosed = "ALLOW",
        timeout_s: float | None = None,
    ) -> Run:
        """Start a run and return it at its end, whatever that is: `run.result()` is its output, or raises.

        Args:
            timeout_s: how long to wait for the end; for ever where it is not given.

        Raises:
            HostdError: as `start`; WAIT_EXPIRED where it has not ended by then. It goes on, `error.metadata["run_id"]`.
        """
        start = Start(workflow, input, version, key, labels or {}, request_id, on_open, on_closed)
        request = pb.ExecuteRunRequest(namespace=self.namespace, start=start.spec())
        given_s = float("inf") if timeout_s is None else timeout_s
        return self._result(Run, self.runs.ExecuteRun, request, timeout_s=given_s)

    def signal_with_start(
        self,
        workflow: str,
        key: str,
        name: str,
        data: Any = None,
        *,
        input: Any = None,
        version: str = "",
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        on_closed: OnClosed = "ALLOW",
    ) -> BlockingRunHandle:
        """Send a signal to the open run of a key, which is started first where there is none: both in one write."""
        start = Start(workflow, input, version, key, labels or {}, request_id, "FAIL", on_closed)
        payload = None if data is None else payload_of(data)
        request = pb.SignalWithStartRequest(
            namespace=self.namespace, start=start.spec(signaled=True), signal=name, data=payload
        )
        return self._in_hand(self._ask(self.runs.SignalWithStart, request))

    def run(self, run_id: str) -> BlockingRunHandle:
        """Return a run in hand by its id. Nothing is sent."""
        return BlockingRunHandle(self, run_id)

    # -- waiting and watching

    def wait(self, run: RunName, *, timeout_s: float | None = None) -> Run:
        """Return a run at its end, whatever that is, across lost connections and restarts of the daemon.

        Args:
            timeout_s: how long to wait; for ever where it is not given.

        Raises:
            HostdError: RUN_MISSING; WAIT_EXPIRED where it has not ended by then (it goes on).
        """
        request = pb.WatchRunRequest(namespace=self.namespace, run=run_ref(run))
        lasting_s = self._retry.give_up_s
        try:
            for answer in self.follow(self.runs.WatchRun, request, timeout_s=timeout_s, reconnect_s=lasting_s):
                if answer.HasField("run"):
                    return result_of(Run, answer.run)
        except TimedOut:
            message = "the run has not ended within the time given; it goes on"
            raise typed(HostdError(Kind.TIMEOUT, "WAIT_EXPIRED", message, details=_named(request.run))) from None
        raise AssertionError("a watch of one run ends with the run")

    def watch_run(
        self, run: RunName, *, resume_token: str = "", reconnect_s: float | None = None
    ) -> BlockingWatch[Record]:
        """Yield the records of a run, from the first or behind a token, until it has ended.

        Args:
            reconnect_s: how long to look for a daemon that went away; else as the retry policy says.

        Raises:
            HostdError: RUN_MISSING; RESUME_TOKEN_INVALID; UNREACHABLE.
        """
        request = pb.WatchRunRequest(namespace=self.namespace, run=run_ref(run), resume_token=resume_token)
        return self._watched(self.runs.WatchRun, request, _records, reconnect_s=reconnect_s)

    # -- reading

    def get_run(self, run: RunName) -> Run:
        """Return a run with its steps, input, output and failures. Raises RUN_MISSING."""
        request = pb.GetRunRequest(namespace=self.namespace, run=run_ref(run))
        return self._result(Run, self.runs.GetRun, request)

    def list_runs(
        self,
        filter: str = "",
        *,
        order_by: str = "",
        limit: int | None = None,
    ) -> Iterator[Run]:
        """Yield runs, the newest first, page by page, as many as there are.

        Args:
            filter: such as `workflow == "w" && state in ["FAILED", "TIMED_OUT"] && labels.team == "a"`.
            order_by: `create_time desc` (the default) or `create_time`.
            limit: at most so many.

        Raises:
            HostdError: INVALID_FILTER, with the fields that are known.
        """
        request = pb.ListRunsRequest(namespace=self.namespace, filter=filter, order_by=order_by)
        left = limit
        for page in self._pages(self.runs.ListRuns, request, limit):
            for run in page.runs[:left]:
                yield result_of(Run, run)
            left = None if left is None else left - len(page.runs)

    def count(self, filter: str = "") -> int:
        """Return how many runs match a filter."""
        request = pb.CountRunsRequest(namespace=self.namespace, filter=filter)
        return (self._ask(self.runs.CountRuns, request)).count

    def history(self, run: RunName) -> Iterator[Record]:
        """Yield every record of a run that is there, page by page."""
        request = pb.GetRunHistoryRequest(namespace=self.namespace, run=run_ref(run))
        for page in self._pages(self.runs.GetRunHistory, request):
            for record in page.records:
                yield result_of(Record, record)

    def logs(self, run: RunName, *, step: str = "", attempt: int = 0) -> Logs:
        """Return what the attempts of a run logged: of one step, of one attempt (from 1), or all."""
        request = pb.GetLogsRequest(namespace=self.namespace, run=run_ref(run), step=step, attempt=attempt)
        return self._result(Logs, self.runs.GetLogs, request)

    def tail_logs(
        self, run: RunName, *, step: str = "", attempt: int = 0, resume_token: str = ""
    ) -> BlockingWatch[LogLine]:
        """Yield what the attempts of a run log, as they log it, until the run has ended."""
        request = pb.TailLogsRequest(
            namespace=self.namespace, run=run_ref(run), step=step, attempt=attempt, resume_token=resume_token
        )
        return self._watched(self.runs.TailLogs, request, _lines)

    # -- steering

    def signal(self, run: RunName, name: str, data: Any = None, *, request_id: str = "") -> None:
        """Send a signal to an open run, which keeps it until a step takes it; returns once it is durable.

        Raises:
            HostdError: RUN_FINAL; SIGNAL_UNKNOWN and SIGNAL_INVALID where the workflow's `signals` do not permit it.
        """
        request = pb.SignalRunRequest(
            namespace=self.namespace,
            run=run_ref(run),
            signal=name,
            data=None if data is None else payload_of(data),
            request_id=request_id or new_request_id(),
        )
        self._ask(self.runs.SignalRun, request)

    def cancel(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run:
        """Stop a run in good order: attempts are told, handlers run, then it is CANCELED."""
        request = pb.CancelRunRequest(**self._steered(run, request_id), reason=reason)
        return self._result(Run, self.runs.CancelRun, request)

    def terminate(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run:
        """End a run at once as CANCELED; no handler runs."""
        request = pb.TerminateRunRequest(**self._steered(run, request_id), reason=reason)
        return self._result(Run, self.runs.TerminateRun, request)

    def pause(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run:
        """Start nothing new in a run until it is resumed; what runs goes on to its end."""
        request = pb.PauseRunRequest(**self._steered(run, request_id), reason=reason)
        return self._result(Run, self.runs.PauseRun, request)

    def resume(self, run: RunName, *, request_id: str = "") -> Run:
        """Let a paused run go on, and a held one if it can be read now."""
        request = pb.ResumeRunRequest(**self._steered(run, request_id))
        return self._result(Run, self.runs.ResumeRun, request)

    def delete_run(self, run: RunName, *, request_id: str = "") -> None:
        """Delete a finished run with all that is its. Raises RUN_NOT_FINAL."""
        self._ask(self.runs.DeleteRun, pb.DeleteRunRequest(**self._steered(run, request_id)))

    def _steered(self, run: RunName, request_id: str) -> dict[str, Any]:
        return {"namespace": self.namespace, "run": run_ref(run), "request_id": request_id or new_request_id()}

    def _in_hand(self, answer: Any) -> BlockingRunHandle:
        return BlockingRunHandle(self, answer.run_id, existing=answer.existing, version=answer.version)


def _records(message: pb.WatchRunResponse) -> Iterator[Record]:
    return (result_of(Record, each) for each in message.records)


def _lines(message: pb.TailLogsResponse) -> Iterator[LogLine]:
    return (result_of(LogLine, each) for each in message.lines)


def _named(ref: pb.RunRef) -> dict[str, str]:
    return {"run_id": ref.run_id} if ref.run_id else {"workflow": ref.workflow, "key": ref.key}


def _refusal(failure: Failure) -> ClientError:
    """Return why an entry of a batch was refused."""
    from hostd.errors.reasons import REASONS

    page = REASONS.get(failure.reason)
    kind = page.kind if page else Kind.STATE
    return typed(HostdError(kind, failure.reason, failure.message))
