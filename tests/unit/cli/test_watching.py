"""Following runs: records as they come, exit codes of outcomes, lost daemons."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from scripted_server import Scripted, ScriptedServer

from hostd.v1 import run_pb2
from hostd.v1.run_service_pb2 import CHANGE_KIND_ADDED, RunChange, WatchRunResponse, WatchRunsResponse


def ended(state: int) -> Any:
    """Return a script: one record, then the run in that state."""

    def script(_request: Any, _context: Any) -> Iterator[WatchRunResponse]:
        record = run_pb2.HistoryRecord(seq=0, kind=run_pb2.RECORD_KIND_RUN_ENDED, run_state=state)
        final = run_pb2.Run(run_id="r", state=state)
        final.create_time.FromSeconds(10)
        final.end_time.FromSeconds(12)
        yield WatchRunResponse(records=[record], resume_token="t", run=final)

    return script


@pytest.mark.parametrize(
    "state,code",
    [
        (run_pb2.RUN_STATE_SUCCEEDED, 0),
        (run_pb2.RUN_STATE_FAILED, 1),
        (run_pb2.RUN_STATE_CANCELED, 12),
        (run_pb2.RUN_STATE_TIMED_OUT, 9),
    ],
)
def test_a_watch_exits_as_the_run_ended(hostd: Any, state: int, code: int) -> None:
    """Each outcome has its exit code; the last line says how long it took."""
    with ScriptedServer(Scripted(ended(state))) as server:
        done = hostd("runs", "watch", "r", "--address", server.address)

    assert done.code == code
    assert done.out.splitlines()[-1] == f"run r {run_pb2.RunState.Name(state).removeprefix('RUN_STATE_')} in 2s"


def test_as_json_each_record_is_a_line(hostd: Any) -> None:
    """Nothing but records, so that a program can read them."""
    with ScriptedServer(Scripted(ended(run_pb2.RUN_STATE_SUCCEEDED))) as server:
        done = hostd("runs", "watch", "w/key", "--address", server.address, "-o", "json")

    (record,) = [json.loads(line) for line in done.out.splitlines()]
    assert record["kind"] == "RUN_ENDED"
    assert record["run_state"] == "SUCCEEDED"


def test_a_lost_daemon_is_looked_for_and_the_watch_goes_on(hostd: Any) -> None:
    """A person is told once that the connection was lost."""

    def lost(_request: Any, context: Any) -> Iterator[WatchRunResponse]:
        yield WatchRunResponse(records=[run_pb2.HistoryRecord(seq=0, step="a")], resume_token="t0")
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    servicer = Scripted(lost, lost, ended(run_pb2.RUN_STATE_SUCCEEDED))
    with ScriptedServer(servicer) as server:
        done = hostd("runs", "watch", "r", "--address", server.address)

    assert done.code == 0
    assert done.err.count("the connection was lost") == 1
    assert servicer.requests[1].resume_token == "t0"


def test_a_daemon_that_stays_away_is_unreachable(monkeypatch: pytest.MonkeyPatch, hostd: Any) -> None:
    """After --reconnect seconds it is an error."""

    def lost(_request: Any, context: Any) -> Iterator[WatchRunResponse]:
        yield WatchRunResponse(resume_token="t0")
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    with ScriptedServer(Scripted(lost)) as server:
        done = hostd("runs", "watch", "r", "--address", server.address, "--reconnect", "0")

    assert done.code == 9
    assert "error: UNREACHABLE" in done.err


def test_a_quiet_watch_prints_the_run_alone(hostd: Any) -> None:
    """Its id, when it has ended; the exit code says the rest."""
    with ScriptedServer(Scripted(ended(run_pb2.RUN_STATE_FAILED))) as server:
        done = hostd("runs", "watch", "r", "--address", server.address, "--quiet")

    assert (done.code, done.out, done.err) == (1, "r\n", "")


def test_all_runs_are_watched_from_now_on(hostd: Any) -> None:
    """Without a run each change is a line, through the filter, and over a lost connection behind the last one."""

    def changes(_request: Any, _context: Any) -> Iterator[Any]:
        run = run_pb2.Run(run_id="r1", workflow="w", state=run_pb2.RUN_STATE_FAILED, key="k", reason="TIMED\x1b_OUT")
        yield WatchRunsResponse(changes=[RunChange(kind=CHANGE_KIND_ADDED, run=run)], resume_token="t1")

    def refused(_request: Any, context: Any) -> Iterator[Any]:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no more")
        yield from ()

    servicer = Scripted(changes, refused)
    with ScriptedServer(servicer) as server:
        done = hostd("runs", "watch", "--workflow", "w", "--state", "failed", "--address", server.address)

    assert done.out == "ADDED     r1  w  FAILED  k  TIMED\\x1b_OUT\n"
    assert "no more" in done.err
    first, second = servicer.requests
    assert (first.skip_snapshot, first.resume_token, second.resume_token) == (True, "", "t1")
    assert first.filter == '(workflow == "w") && (state in ["FAILED"])'
    both = hostd("runs", "watch", "r1", "--state", "failed")
    assert both.code == 2 and "not both" in both.err
