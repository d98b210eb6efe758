"""A gRPC server that answers as a test says: for what a real daemon does only when it is killed at the right moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from hostd.v1.run_pb2 import Run
from hostd.v1.run_service_pb2_grpc import RunServiceServicer, add_RunServiceServicer_to_server

Watch = Callable[[Any, grpc.ServicerContext], Iterator[Any]]


class Scripted(RunServiceServicer):
    """Answers watches and StartRun with one script after another, and remembers requests and metadata."""

    def __init__(self, *watches: Watch, starts: Sequence[Callable[[Any, Any], Any]] = ()) -> None:
        self.watches = list(watches)
        self.starts = list(starts)
        self.requests: list[Any] = []
        self.metadata: list[dict[str, str]] = []

    def WatchRun(self, request: Any, context: Any) -> Any:
        """Play the next script."""
        self._note(request, context)
        yield from self.watches.pop(0)(request, context)

    def WatchRuns(self, request: Any, context: Any) -> Any:
        """Play the next script."""
        self._note(request, context)
        yield from self.watches.pop(0)(request, context)

    def StartRun(self, request: Any, context: Any) -> Any:
        """Answer as the next script says."""
        self._note(request, context)
        return self.starts.pop(0)(request, context)

    def GetRun(self, request: Any, context: Any) -> Any:
        """Answer with a run of that id."""
        self._note(request, context)
        return Run(run_id=request.run.run_id)

    def _note(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self.metadata.append({item.key: item.value for item in context.invocation_metadata()})


class ScriptedServer:
    """Serves on a free port of loopback while it is entered."""

    def __init__(self, servicer: Scripted, credentials: grpc.ServerCredentials | None = None) -> None:
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        add_RunServiceServicer_to_server(servicer, self._server)
        if credentials is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> ScriptedServer:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
