"""What became of a run, for triggers that wait for it (a webhook that answers with the run's output)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hostd.errors.base import HostdError
from hostd.model.ids import stored_id
from hostd.model.requests import RunRef
from hostd.model.states import RunState
from hostd.model.views import RunView
from hostd.plugin import RunFailure, RunResult
from hostd.runtime.runs.run_reads import run_missing
from hostd.runtime.runs.run_verbs import RunVerbs
from hostd.values.json_text import JsonValue, parse_json


class RunEnds:
    """Waits for ends of runs; nothing polls. A wait costs a future, and ends with its time."""

    def __init__(self, runs: Callable[[], RunVerbs]) -> None:
        self._runs = runs

    async def __call__(self, namespace: str, workflow: str, run_id: str, *, timeout_s: float) -> RunResult:
        """Return a run once it has ended, or as it is when the time is over or the daemon stops.

        Raises:
            HostdError: RUN_MISSING where the workflow has no such run.
        """
        runs, ref = self._runs(), RunRef(run_id)
        try:
            stored_id(run_id)
        except (HostdError, ValueError):
            raise run_missing(ref) from None
        if (await runs.find(namespace, ref)).workflow != workflow:
            raise run_missing(ref)
        try:
            async with asyncio.timeout(timeout_s):
                view = await runs.wait_end(namespace, run_id)
        except (TimeoutError, HostdError) as error:
            if isinstance(error, HostdError) and error.reason not in ("DRAINING", "RUN_STATE"):
                raise
            view = await runs.get(namespace, ref)
        return await self._result(runs, namespace, view)

    async def _result(self, runs: RunVerbs, namespace: str, view: RunView) -> RunResult:
        state = RunState(view.state)
        if state is RunState.SUCCEEDED:
            return RunResult(view.run_id, state.name, await self._output(runs, namespace, view))
        if state not in (RunState.FAILED, RunState.CANCELED, RunState.TIMED_OUT):
            return RunResult(view.run_id, state.name)
        first = view.failures[0].failure if view.failures else None
        code = first.code if first is not None else ""
        message = view.message or (first.message if first is not None else "")
        return RunResult(view.run_id, state.name, None, RunFailure(view.reason, message, code))

    async def _output(self, runs: RunVerbs, namespace: str, view: RunView) -> JsonValue:
        output = view.output
        if isinstance(output, bytes):
            return parse_json(output) if output else None
        return parse_json((await runs.blob(namespace, output.digest)).data)
