"""Runs of a host, for code without an event loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hostd.embedding.calls import Duration
from hostd.embedding.own_thread import OwnThread, Stream
from hostd.embedding.run import Run
from hostd.embedding.run_calls import RunChange, Which
from hostd.embedding.run_info import Change, RunInfo
from hostd.model.views import LogView
from hostd.values.json_text import JsonValue

if TYPE_CHECKING:
    from hostd.embedding.workflow import Workflow


class BlockingRunCalls(OwnThread):
    """The part of a blocking host for runs; RunCalls says more of each."""

    def start(self, workflow: str | Workflow, input: Any = None, **more: Any) -> Run:  # noqa: A002
        """Start a run; its own methods are for event loops: hand it to this host's."""
        return self.call(lambda host: host.start(workflow, input, **more))

    def execute(
        self,
        workflow: str | Workflow,
        input: Any = None,  # noqa: A002
        *,
        timeout: Duration = None,
        **more: Any,
    ) -> JsonValue:
        """Start a run, wait for its end and return its output."""
        return self.call(lambda host: host.execute(workflow, input, timeout=timeout, **more))

    def wait(self, run: Which, *, timeout: Duration = None) -> RunInfo:
        """Return a run once it has ended."""
        return self.call(lambda host: host.wait(run, timeout=timeout))

    def result(self, run: Which, *, timeout: Duration = None) -> JsonValue:
        """Return a run's output once it has succeeded."""
        return self.call(lambda host: host.result(run, timeout=timeout))

    def get(self, run: Which) -> RunInfo:
        """Return a run as it is now."""
        return self.call(lambda host: host.get(run))

    def list_runs(self, filter: str = "", *, limit: int = 100) -> Sequence[RunInfo]:  # noqa: A002
        """Return runs, the newest first."""
        return self.call(lambda host: host.list_runs(filter, limit=limit))

    def count_runs(self, filter: str = "") -> int:  # noqa: A002
        """Return how many runs a filter finds."""
        return self.call(lambda host: host.count_runs(filter))

    def history(self, run: Which, *, from_seq: int = 0) -> Sequence[Change]:
        """Return a run's records."""
        return self.call(lambda host: host.history(run, from_seq=from_seq))

    def logs(self, run: Which, *, step: str = "", attempt: int = 0) -> Sequence[LogView]:
        """Return what attempts logged."""
        return self.call(lambda host: host.logs(run, step=step, attempt=attempt))

    def signal(self, run: Which, name: str, data: Any = None, *, request_id: str = "") -> bool:
        """Tell an open run something."""
        return self.call(lambda host: host.signal(run, name, data, request_id=request_id))

    def signal_with_start(
        self,
        workflow: str | Workflow,
        key: str,
        name: str,
        data: Any = None,
        *,
        input: Any = None,  # noqa: A002
        request_id: str = "",
    ) -> Run:
        """Tell the open run of a key something; where none is open, start it with the signal."""
        return self.call(
            lambda host: host.signal_with_start(workflow, key, name, data, input=input, request_id=request_id)
        )

    def cancel(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """Stop a run in good order."""
        return self.call(lambda host: host.cancel(run, reason, request_id=request_id))

    def terminate(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """End a run at once."""
        return self.call(lambda host: host.terminate(run, reason, request_id=request_id))

    def pause(self, run: Which, reason: str = "", *, request_id: str = "") -> RunInfo:
        """Let nothing new of a run start."""
        return self.call(lambda host: host.pause(run, reason, request_id=request_id))

    def resume(self, run: Which, *, request_id: str = "") -> RunInfo:
        """Let a paused or held run go on."""
        return self.call(lambda host: host.resume(run, request_id=request_id))

    def delete(self, run: Which, *, request_id: str = "") -> None:
        """Delete a run that has ended."""
        self.call(lambda host: host.delete(run, request_id=request_id))

    def watch(self, run: Which, *, from_seq: int = 0) -> Iterator[Change]:
        """Yield a run's records until it has ended."""
        return Stream(self, lambda host: host.watch(run, from_seq=from_seq))

    def watch_runs(self, filter: str = "", *, snapshot: bool = True) -> Iterator[RunChange]:  # noqa: A002
        """Yield what happens to runs, without end."""
        return Stream(self, lambda host: host.watch_runs(filter, snapshot=snapshot))
