"""A host in the test, on a real Unix socket, and the plugin process that dials it: the test hears each frame."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import grpc

from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.v1 import host_pb2_grpc as rpc

PATIENCE_S = 120.0
COOKIE = "a-cookie"


class Connection:
    """One stream of a child, from its Hello on."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._inbox: asyncio.Queue[pb.FromPlugin | None] = asyncio.Queue()
        self._passed: list[pb.FromPlugin] = []
        self._calls = 0
        self.over = asyncio.Event()
        self.closed_by_child = asyncio.Event()
        self.hello = pb.Hello()

    async def listen(self) -> None:
        """Take frames until the child closes its side."""
        while (frame := await self._context.read()) is not grpc.aio.EOF:
            self._inbox.put_nowait(frame)
        self.closed_by_child.set()

    async def say(self, **frame: Any) -> None:
        """Send a frame that asks nothing."""
        await self._context.write(pb.FromHost(**frame))

    async def reply(self, asked: pb.FromPlugin, **frame: Any) -> None:
        """Answer a question."""
        await self._context.write(pb.FromHost(call=asked.call, **frame))

    async def ask(self, **frame: Any) -> pb.FromPlugin:
        """Ask a question and return its answer."""
        self._calls += 1
        number = self._calls
        await self._context.write(pb.FromHost(call=number, **frame))
        return await self._next(
            lambda one: one.call == number and one.WhichOneof("frame") not in ASKED, f"answer {number}"
        )

    async def hear(self, kind: str) -> Any:
        """Return the next frame of a kind; others are kept for later."""
        return getattr(await self.heard(kind), kind)

    async def heard(self, kind: str) -> pb.FromPlugin:
        """The same with its number."""
        return await self._next(lambda one: one.WhichOneof("frame") == kind, kind)

    async def order(self, *kinds: str, count: int) -> list[str]:
        """Return the kinds of the next frames among these, in the order they came."""
        frames = [await self._next(lambda one: one.WhichOneof("frame") in kinds, "/".join(kinds)) for _ in range(count)]
        return [str(frame.WhichOneof("frame")) for frame in frames]

    async def _next(self, wanted: Any, words: str) -> pb.FromPlugin:
        for frame in self._passed:
            if wanted(frame):
                self._passed.remove(frame)
                return frame
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    frame = await self._inbox.get()
                    assert frame is not None
                    if wanted(frame):
                        return frame
                    self._passed.append(frame)
        except TimeoutError:
            raise AssertionError(f"no {words} came, but {[one.WhichOneof('frame') for one in self._passed]}") from None

    def waiting(self, kind: str) -> int:
        """Return how many frames of a kind came that nobody has heard."""
        queued = [frame for frame in list(self._inbox._queue) if frame is not None]  # type: ignore[attr-defined]
        return sum(frame.WhichOneof("frame") == kind for frame in (*self._passed, *queued))


ASKED = ("emit", "host_call", "open_route")


class TestHost(rpc.HostServicer):
    """Accepts children; each connection waits in `connections` once it has said Welcome."""

    __test__ = False

    def __init__(self, socket: Path) -> None:
        self.address = f"unix:{socket}"
        self.frame_bytes_max = 20 * 1024 * 1024
        self.protocol = 1
        self.refuse: tuple[grpc.StatusCode, str] | None = None
        self.data_dir = ""
        self.begun = False  # whether it takes TriggerBegun
        self.hellos: asyncio.Queue[pb.Hello] = asyncio.Queue()
        self._connections: asyncio.Queue[Connection] = asyncio.Queue()
        self._server: grpc.aio.Server | None = None
        self._held: list[Connection] = []

    async def start(self) -> None:
        """Listen."""
        sizes = 64 * 1024 * 1024
        self._server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", sizes), ("grpc.max_send_message_length", sizes)]
        )
        rpc.add_HostServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self) -> None:
        """Be gone, as after a kill."""
        if self._server is not None:
            for connection in self._held:
                connection.over.set()
            await self._server.stop(0)
            self._server = None

    async def Connect(self, request_iterator: Any, context: Any) -> None:
        """Serve one stream."""
        hello = (await context.read()).hello
        self.hellos.put_nowait(hello)
        if self.refuse is not None:
            await context.abort(*self.refuse)
        connection = Connection(context)
        connection.hello = hello
        self._held.append(connection)
        welcome = pb.Welcome(
            protocol=self.protocol,
            host="test",
            frame_bytes_max=self.frame_bytes_max,
            data_dir=self.data_dir,
            begun=self.begun,
        )
        await context.write(pb.FromHost(welcome=welcome))
        self._connections.put_nowait(connection)
        listening = asyncio.get_running_loop().create_task(connection.listen())
        over = asyncio.get_running_loop().create_task(connection.over.wait())
        try:
            await asyncio.wait([listening, over], return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        finally:
            listening.cancel()
            over.cancel()

    async def connection(self) -> Connection:
        """Return the next connection that was welcomed."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._connections.get()

    async def hello(self) -> pb.Hello:
        """Return the next Hello, welcomed or not."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.hellos.get()


class PluginChild:
    """A real `python -m hostd.plugin.process`."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self.process = process
        self._output = output

    @classmethod
    async def start(
        cls, host: TestHost, folder: Path, *arguments: str, plugin: str = "sample", **env: str
    ) -> PluginChild:
        """Start it for a plugin in a folder, or with arguments of one's own."""
        output = folder.parent / f"{folder.name}.out"
        environment = {
            **os.environ,
            "HOSTD_PLUGIN_ADDRESS": host.address,
            "HOSTD_PLUGIN_COOKIE": COOKIE,
            "HOSTD_PLUGIN_ID": plugin,
            "HOSTD_PLUGIN_VERSION": "1.2.3",
            "PYTHONUNBUFFERED": "1",
            **env,
        }
        command = arguments or ("--folder", str(folder))
        with output.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hostd.plugin.process", *command,
                stdin=asyncio.subprocess.PIPE, stdout=file, stderr=file, env=environment, start_new_session=True,
            )  # fmt: skip
        return cls(process, output)

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text()

    async def exit_code(self) -> int:
        """Wait for its end."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def close(self) -> None:
        """End it, whatever it does."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


def attempt_id(step: str, attempt: int = 1, epoch: int = 7) -> pb.AttemptId:
    """Return an attempt's name."""
    return pb.AttemptId(run_id="run-1", step=step, attempt=attempt, epoch=epoch)


def start_of(action: str, options: Any = None, *, step: str = "", attempt: int = 1, epoch: int = 7) -> pb.StartAttempt:
    """Return the beginning of an attempt."""
    return pb.StartAttempt(
        id=attempt_id(step or action, attempt, epoch),
        action=action,
        options=json.dumps(options or {}).encode(),
        namespace="default",
        workflow="orders",
        idempotency_key="a-key",
    )
