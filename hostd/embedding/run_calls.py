"""Runs of a host: start, wait, watch, steer and ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from hostd.api.convert.checks import check_why
from hostd.api.filter_text import parse_filter
from hostd.embedding.calls import Calls, Duration, seconds_of
from hostd.embedding.run import Run
from hostd.embedding.run_info import Change, RunFailed, RunInfo, change, run_info
from hostd.embedding.sending import repeat_for, run_ref, signal_request, start_request
from hostd.errors.base import HostdError, Kind, invalid
from hostd.model.ids import text_id
from hostd.model.requests import OnClosed, OnOpen, RunList, RunRef
from hostd.model.states import RunState
from hostd.model.views import ChangeWord, LogView, RunView
from hostd.values.json_text import JsonValue

if TYPE_CHECKING:
    from hostd.embedding.workflow import Workflow

HISTORY_BYTES = 1024 * 1024
LIST_MAX = 1_000
Which = Run | RunInfo | str | tuple[str, str]
"""A run: what `start`, `get` or `list_runs` gave, its id, or the newest of a key: (workflow, key), `WORKFLOW/KEY`."""


class RunChange(msgspec.Struct, frozen=True):
    """What happened to a run, seen through a filter: ADDED, MODIFIED or DELETED."""

    kind: ChangeWord
    run: RunInfo


class RunCalls(Calls):
    """The part of a host for runs."""

    async def _workflow(self, workflow: str | Workflow, version: str) -> tuple[str, str]:
        raise NotImplementedError

    # -- starting

    async def start(
        self,
        workflow: str | Workflow,
        input: Any = None,  # noqa: A002 what documents call it
        *,
        version: str = "",
        key: str = "",
        request_id: str = "",
        labels: Mapping[str, str] | None = None,
        on_open: OnOpen = "FAIL",
        on_closed: OnClosed = "ALLOW",
    ) -> Run:
        """Start a run; it is durable when this returns.

        Args:
            workflow: a name, or a builder, whose document is registered first where it is new.
            input: JSON types, a pydantic model or a dataclass.
            version: empty means the active one (of a builder: its own).
            key: names the run; two open runs of a key cannot be, see `on_open` (FAIL, USE_EXISTING,
                TERMINATE_EXISTING) and `on_closed` (ALLOW, ALLOW_IF_FAILED, REJECT).
            request_id: the same within 24 hours is answered with the first run, however often it is sent.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, WORKFLOW_INACTIVE, INPUT_INVALID, RUN_OPEN,
                RUN_CLOSED_EXISTS, REQUEST_ID_CONFLICT, PAYLOAD_*, ARGUMENT_INVALID, DRAINING, JOURNAL_*;
                DOCUMENT_INVALID for a builder.
        """
        name, version = await self._workflow(workflow, version)
        request = start_request(
            name,
            input,
            version=version,
            key=key,
            request_id=request_id,
            labels=labels,
            on_open=on_open,
            on_closed=on_closed,
        )
        (started,) = await self._front.runs.start(self.namespace, (request,), principal=self.principal)
        if isinstance(started, HostdError):
            raise started
        return Run(self, started.run_id, started.version, started.existing)

    async def execute(
        self,
        workflow: str | Workflow,
        input: Any = None,  # noqa: A002 what documents call it
        *,
        timeout: Duration = None,
        **more: Any,
    ) -> JsonValue:
        """Start a run, wait for its end and return its output. Raises as `start` and `result`.

        Args:
            more: as of `start`.
        """
        run = await self.start(workflow, input, **more)
        return await self.result(run, timeout=timeout)

    # -- waiting

    async def wait(self, run: Which, *, timeout: Duration = None) -> RunInfo:
        """Return a run once it has ended, however it did.

        Raises:
            HostdError: RUN_MISSING; RUN_STATE once it is held; WAIT_EXPIRED when the time is over: the run goes on;
                DRAINING when the host closes.
        """
        run_id = (await self._ref(run)).run_id
        try:
            async with asyncio.timeout(seconds_of(timeout)):
                view = await self._front.runs.wait_end(self.namespace, run_id)
        except TimeoutError:
            raise await self._expired(run_id) from None
        return await self._info(view)

    async def _expired(self, run_id: str) -> HostdError:
        now = await self.get(run_id)
        why = ""
        if now.waits_for:
            why = f"; it waits for {', '.join(now.waits_for)}, which this host does not have: host.use(...) brings it"
        message = f"the run {run_id} of {now.workflow} is {now.state} and goes on{why}"
        details = {"run_id": run_id, "state": now.state}
        return HostdError(Kind.TIMEOUT, "WAIT_EXPIRED", message, details=details)

    async def result(self, run: Which, *, timeout: Duration = None) -> JsonValue:
        """Return a run's output once it has succeeded.

        Raises:
            RunFailed: it ended in another way.
            HostdError: as `wait`.
        """
        ended = await self.wait(run, timeout=timeout)
        if ended.state != RunState.SUCCEEDED.name:
            raise RunFailed(ended)
        return ended.output

    async def watch(self, run: Which, *, from_seq: int = 0) -> AsyncGenerator[Change, None]:
        """Yield a run's records from `from_seq` on, those that are there and those that come, until it has ended.

        Raises:
            HostdError: RUN_MISSING; RUN_STATE once it is held; DRAINING when the host closes.
        """
        ref = await self._ref(run)
        stream = self._front.runs.watch(self.namespace, ref, from_seq=from_seq)
        async with aclosing(stream) as batches:  # type: ignore[type-var]
            async for batch in batches:
                for item in batch.items:
                    yield await change(item, batch.steps, self._read_blob)

    async def watch_runs(self, filter: str = "", *, snapshot: bool = True) -> AsyncGenerator[RunChange, None]:  # noqa: A002
        """Yield what happens to runs, without end, seen through a filter as `hostd runs list` takes it.

        Args:
            snapshot: begin with the runs that are there.

        Raises:
            HostdError: INVALID_FILTER, WATCH_TOO_SLOW, DRAINING.
        """
        stream = self._front.runs.watch_all(self.namespace, parse_filter(filter), after=None, snapshot=snapshot)
        async with aclosing(stream) as batches:  # type: ignore[type-var]
            async for batch in batches:
                for one in batch.changes:
                    yield RunChange(one.kind, await self._info(one.run))

    # -- asking

    async def get(self, run: Which) -> RunInfo:
        """Return a run as it is now. Raises HostdError RUN_MISSING."""
        return await self._info(await self._front.runs.get(self.namespace, run_ref(run)))

    async def list_runs(
        self,
        filter: str = "",  # noqa: A002 what the control plane calls it
        *,
        limit: int = 100,
    ) -> list[RunInfo]:
        """Return runs, the newest first, through a filter such as `workflow == "greet" && state != "SUCCEEDED"`.

        Raises:
            HostdError: INVALID_FILTER; ARGUMENT_INVALID for a limit past 1,000.
        """
        if not 0 < limit <= LIST_MAX:
            raise invalid("ARGUMENT_INVALID", f"limit: 1 to {LIST_MAX}")
        views = await self._front.runs.list(self.namespace, RunList(parse_filter(filter), limit=limit))
        return [await self._info(view) for view in views]

    async def count_runs(self, filter: str = "") -> int:  # noqa: A002 what the control plane calls it
        """Return how many runs a filter finds. Raises HostdError INVALID_FILTER."""
        return await self._front.runs.count(self.namespace, parse_filter(filter))

    async def history(self, run: Which, *, from_seq: int = 0) -> list[Change]:
        """Return a run's records that are durable now. Raises HostdError RUN_MISSING."""
        ref, found, more = await self._ref(run), [], True
        while more:
            page = await self._front.runs.history(self.namespace, ref, from_seq=from_seq, max_bytes=HISTORY_BYTES)
            found += [await change(item, page.steps, self._read_blob) for item in page.items if item.seq >= from_seq]
            from_seq, more = page.next_seq, page.more
        return found

    async def logs(self, run: Which, *, step: str = "", attempt: int = 0) -> Sequence[LogView]:
        """Return what attempts logged; nothing in memory, where no files are kept. Raises HostdError RUN_MISSING."""
        ref = await self._ref(run)
        return await self._front.runs.logs(self.namespace, ref, step=step, attempt=attempt)

    # -- telling

    async def signal(self, run: Which, name: str, data: Any = None, *, request_id: str = "") -> bool:
        """Tell an open run something; return whether it was new to it (False: the request id was known).

        Raises:
            HostdError: RUN_MISSING, RUN_FINAL, RUN_STATE, SIGNAL_*, REQUEST_ID_CONFLICT, PAYLOAD_*.
        """
        ref, told = run_ref(run), signal_request(name, data)
        repeat = repeat_for(request_id, ref, signal=name, data=told.value)
        done = await self._front.runs.signal(self.namespace, ref, told, principal=self.principal, repeat=repeat)
        return not done.repeated

    async def signal_with_start(
        self,
        workflow: str | Workflow,
        key: str,
        name: str,
        data: Any = None,
        *,
        input: Any = None,  # noqa: A002 what documents call it
        request_id: str = "",
    ) -> Run:
        """Tell the open run of a key something; where none is open, start it with the signal, both in one append.

        Raises:
            HostdError: as `start` and `signal`.
        """
        if not key:
            raise invalid("ARGUMENT_INVALID", "key: a signal goes to the open run of a key; give one")
        workflow_name, version = await self._workflow(workflow, "")
        told = signal_request(name, data)
        start = start_request(
            workflow_name,
            input,
            version=version,
            key=key,
            request_id=request_id,
            labels=None,
            on_open="FAIL",
            on_closed="ALLOW",
            with_it={"signal": name, "data": told.value},
        )
        done = await self._front.runs.signal_with_start(self.namespace, start, told, principal=self.principal)
        return Run(self, done.run_id, done.version, done.existing)

    # -- steering

    async def cancel(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """Stop a run in good order: its handlers run. Raises HostdError RUN_MISSING, RUN_FINAL, RUN_STATE."""
        return await self._steer("cancel", run, reason, request_id)

    async def terminate(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """End a run at once; nothing of it runs any more. Raises HostdError RUN_MISSING, RUN_FINAL, RUN_STATE."""
        return await self._steer("terminate", run, reason, request_id)

    async def pause(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """Let nothing new of a run start. Raises HostdError RUN_MISSING, RUN_FINAL, RUN_STATE."""
        return await self._steer("pause", run, reason, request_id)

    async def resume(self, run: Which, *, request_id: str = "") -> RunInfo:
        """Let a paused or held run go on. Raises HostdError RUN_MISSING, RUN_FINAL, RUN_STATE."""
        ref = run_ref(run)
        repeat = repeat_for(request_id, ref, reason="")
        return await self._info(
            await self._front.runs.resume(self.namespace, ref, principal=self.principal, repeat=repeat)
        )

    async def delete(self, run: Which, *, request_id: str = "") -> None:
        """Delete a run that has ended, with all that is its. Raises HostdError RUN_MISSING, RUN_NOT_FINAL."""
        ref = run_ref(run)
        repeat = repeat_for(request_id, ref, reason="")
        await self._front.runs.delete(self.namespace, ref, principal=self.principal, repeat=repeat)

    async def _steer(self, verb: str, run: Any, reason: str, request_id: str) -> RunInfo:
        ref, why = run_ref(run), check_why(reason)
        repeat = repeat_for(request_id, ref, reason=why)
        steer = getattr(self._front.runs, verb)
        return await self._info(await steer(self.namespace, ref, reason=why, principal=self.principal, repeat=repeat))

    # -- pieces

    async def _ref(self, run: Any) -> RunRef:
        """Return a run by its id: a key may come to mean another run."""
        ref = run_ref(run)
        if ref.run_id:
            return ref
        return RunRef(text_id((await self._front.runs.find(self.namespace, ref)).run_id))

    async def _info(self, view: RunView) -> RunInfo:
        return await run_info(view, self._read_blob, self._has_action)
