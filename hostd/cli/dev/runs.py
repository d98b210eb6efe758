"""Runs as they happen: each is followed and drawn until it ends; many at once are counted instead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hostd.aio import spawn
from hostd.cli.dev.screen import Screen, badly, dim, moment, note
from hostd.cli.dev.trees import ended_lines, head_line, outcome_lines, run_lines, step_told
from hostd.cli.moments import wall_ms
from hostd.cli.plain import plain
from hostd.cli.run_tree import move_step
from hostd.cli.tables import clean
from hostd.errors.base import HostdError
from hostd.v1 import run_service_pb2 as pb
from hostd.v1.run_pb2 import Run, RunState

if TYPE_CHECKING:
    from hostd.client import Client

Json = dict[str, Any]
FOLLOWED_MAX = 6
COUNT_EVERY_S = 1.0
_OPEN = 'state in ["PENDING", "RUNNING", "WAITING", "PAUSED", "CANCELING"]'
_FINAL = ("SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT")
_TOLD = ("SUCCEEDED", "FAILED", "RETRYING", "WAITING", "CANCELED")
_SEEN_MAX = 10_000


class Runs:
    """Follows what runs. `last` is the newest run that nobody but a person or a trigger started; empty before one."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self.last = ""
        self.drawn: dict[str, Json] = {}
        self.started = 0
        self.states: dict[str, str] = {}  # of the last run of each workflow
        self._client, self._screen = client, screen
        self._seen: dict[str, bool] = {}  # whether it is still to be counted
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._uncounted: dict[str, int] = {}

    async def follow(self) -> None:
        """Follow every run that is open or comes, for as long as the daemon serves."""
        request = pb.WatchRunsRequest(skip_snapshot=True)
        stream = self._client.follow(self._client.runs.WatchRuns, request, on_expired=self._missed)
        waiting = spawn(self._open(), name="open runs")
        counting = spawn(self._count(), name="count runs")
        try:
            async for answer in stream:
                for change in answer.changes:
                    self._heed(change.run, gone=change.kind == pb.CHANGE_KIND_DELETED)
        finally:
            for task in (waiting, counting, *self._tasks.values()):
                task.cancel()

    async def _open(self) -> None:
        """Follow what an earlier session left."""
        request = pb.ListRunsRequest(page_size=FOLLOWED_MAX, filter=_OPEN)
        for run in (await self._client.call(self._client.runs.ListRuns, request)).runs:
            self._heed(run, gone=False)

    def _missed(self) -> None:
        self._screen.say(note("some runs went by too quickly to be shown; `hostd runs list` has them"))

    def _heed(self, run: Run, *, gone: bool) -> None:
        """Begin to follow a run that is new; one that is only counted, count when it has ended."""
        if gone:
            return
        state = state_of(run)
        if not run.parent:
            self.states[run.workflow] = state
        if run.run_id not in self._seen:
            self._meet(run)
        if self._seen.get(run.run_id) and state in _FINAL:
            self._seen[run.run_id] = False
            self._uncounted[state] = self._uncounted.get(state, 0) + 1

    def _meet(self, run: Run) -> None:
        """Follow a run where there is room for one more; else it is to be counted."""
        self.started += 1
        if not run.parent:
            self.last = run.run_id
        full = len(self._tasks) >= FOLLOWED_MAX
        self._seen[run.run_id] = full
        if len(self._seen) > _SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        if not full:
            self._tasks[run.run_id] = spawn(self._one(run.run_id), name=f"run {run.run_id}")

    async def _count(self) -> None:
        """Say once a second how those ended that nobody could have read one by one."""
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            if counted := self._uncounted:
                self._uncounted = {}
                told = ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))
                self._screen.say(f"{moment()}   {dim(f'and {sum(counted.values())} more runs: {told}')}")

    # -- one run

    async def _one(self, run_id: str) -> None:
        try:
            await self._follow(run_id)
        except HostdError as error:
            self._screen.say(badly(clean(f"run {run_id}: {error.reason}: {error.message}")))
        finally:
            self.drawn.pop(run_id, None)
            self._tasks.pop(run_id, None)

    async def _follow(self, run_id: str) -> None:
        ref = pb.RunRef(run_id=run_id)
        found: Run = await self._client.call(self._client.runs.GetRun, pb.GetRunRequest(run=ref))
        run: Json = plain(found)
        steps = {step["id"]: step for step in run["steps"]}
        _from_the_start(run)
        self.drawn[run_id] = run
        if not self._screen.live:
            self._screen.say(f"{moment()}   {run['workflow']} {run_id}  started{_by(run)}")
        request = pb.WatchRunRequest(run=ref)
        async for answer in self._client.follow(self._client.runs.WatchRun, request):
            for record in answer.records:
                self._move(run, steps, plain(record))
            if answer.HasField("run"):
                ended = plain(answer.run)
                self.drawn.pop(run_id, None)
                self._tell_end(ended)

    def _move(self, run: Json, steps: dict[str, Json], record: Json) -> None:
        if record["run_state"]:
            run["state"] = record["run_state"]
        elif run["state"] == "PENDING":
            run["state"] = "RUNNING"
        step = steps.get(record["step"] or "")
        if step is None:
            return
        before = step["state"]
        move_step(step, record)
        if record["step_state"] == "SUCCEEDED":
            step["output"] = record["value"]
        if not self._screen.live and step["state"] != before and step["state"] in _TOLD:
            self._screen.say(step_told(run, step, now_ms=wall_ms()))

    def _tell_end(self, run: Json) -> None:
        columns = self._screen.width
        if self._screen.live:
            lines = ended_lines(run, columns=columns)
        else:  # its steps were told as they ended
            lines = [head_line(run, now_ms=0, columns=columns), *outcome_lines(run, columns=columns)]
        self._screen.say("\n".join(lines))

    def lines(self, columns: int, rows: int) -> list[str]:
        """Return the runs that go on, drawn in so many lines at most."""
        now_ms, lines = wall_ms(), list[str]()
        for run in list(self.drawn.values()):
            if rows - len(lines) < 2:
                lines.append(dim(f"{'':11}and {len(self.drawn)} runs in all"))
                break
            lines += run_lines(run, now_ms=now_ms, columns=columns, rows=rows - len(lines) - 1)
        return lines


def state_of(run: Run) -> str:
    """Return the word for a run's state."""
    return RunState.Name(run.state).removeprefix("RUN_STATE_") if run.state else "PENDING"


def _by(run: Json) -> str:
    return f" by {run['trigger']}" if run["trigger"] else ""


def _from_the_start(run: Json) -> None:
    """Take back what became of a run: its records tell it from the first."""
    for step in run["steps"]:
        step.update(state="PENDING", attempts=0, start_time=None, end_time=None, error=None, output=None)
    run.update(state="PENDING", end_time=None)
