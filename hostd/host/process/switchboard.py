"""The private socket that plugin processes dial: who is expected is let in, everybody else is told why not."""

from __future__ import annotations

import asyncio
import hmac
import os
from pathlib import Path
from typing import Any, Protocol

import grpc

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.host.process.link import FRAME_BYTES_MAX, Link
from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.v1 import host_pb2_grpc as rpc

PROTOCOL_MIN = PROTOCOL_MAX = 1
HELLO_S = 10.0
STOP_S = 1.0


class Line(Protocol):
    """Whoever waits for a child: the plugin's process as the host keeps it."""

    @property
    def plugin(self) -> str: ...

    @property
    def cookie(self) -> str: ...

    def connected(self, link: Link) -> pb.Welcome:
        """Take a child's connection. Raises ValueError with the reason it is refused."""
        ...

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame. Raises ValueError when the child breaks the protocol."""
        ...

    def disconnected(self, link: Link) -> None:
        """The connection is gone."""
        ...

    def refused(self, why: str) -> None:
        """The child broke the protocol."""
        ...


class Switchboard(rpc.HostServicer):
    """Serves `hostd.plugin.v1.Host` on a Unix socket."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}  # by cookie
        self._server: grpc.aio.Server | None = None
        self.address = ""
        self.more_to_come = False  # not everybody is expected yet who may dial: strangers shall try again

    def expect(self, line: Line) -> None:
        """Let in the child with this line's cookie."""
        self._lines[line.cookie] = line

    def forget(self, line: Line) -> None:
        """Let it in no more."""
        self._lines.pop(line.cookie, None)

    async def start(self, path: Path) -> None:
        """Listen on a socket in a folder that only we may enter, where nothing is in the way.

        Raises:
            OSError, RuntimeError: it cannot be had.
        """
        options = [
            ("grpc.max_receive_message_length", FRAME_BYTES_MAX),
            ("grpc.max_send_message_length", FRAME_BYTES_MAX),
        ]
        server = grpc.aio.server(options=options)
        rpc.add_HostServicer_to_server(self, server)
        server.add_insecure_port(f"unix:{path}")
        await server.start()
        os.chmod(path, 0o600)

        self._server = server
        self.address = f"unix:{path}"

    async def stop(self) -> None:
        """Close every connection and the socket."""
        if self._server is not None:
            await self._server.stop(STOP_S)
            self._server = None

    async def Connect(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]  # noqa: N802
        """Serve one child for as long as it stays."""
        line, link, welcome = await self._admit(context)
        reader = spawn(_read(line, link, context), name=f"frames of {line.plugin}")
        try:
            await context.write(pb.FromHost(welcome=welcome))  # who dialed may be gone by now
            writer = spawn(_write(link, context), name=f"frames to {line.plugin}")
            # the writer ends when the link is closed from here: the child is to hear that, and to dial again
            await asyncio.wait([reader, writer], return_when=asyncio.FIRST_COMPLETED)
            writer.cancel()
            error = reader.result() if reader.done() else None
            if error is not None:
                line.refused(str(error))
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        finally:
            reader.cancel()
            link.close()
            line.disconnected(link)

    async def _admit(self, context: Any) -> tuple[Line, Link, pb.Welcome]:
        try:
            async with asyncio.timeout(HELLO_S):
                first = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no Hello came")
        if first is grpc.aio.EOF or first.WhichOneof("frame") != "hello":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first frame must be Hello")
        hello: pb.Hello = first.hello
        line = self._lines.get(hello.cookie)
        if line is None and self.more_to_come:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the host does not know yet whom to expect")
        if line is None or not hmac.compare_digest(line.cookie.encode(), hello.cookie.encode()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the cookie is not one this host gave")
        assert line is not None  # noqa: S101 abort raises
        if hello.protocol_min > PROTOCOL_MAX or hello.protocol_max < PROTOCOL_MIN:
            spoken = f"{hello.protocol_min} to {hello.protocol_max}"
            why = f"it speaks protocol {spoken}, this host {PROTOCOL_MIN} to {PROTOCOL_MAX}"
            line.refused(why)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, why)
        link = Link(hello)
        try:
            return line, link, line.connected(link)
        except ValueError as error:
            link.close()
            line.refused(str(error))
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise


async def _read(line: Line, link: Link, context: Any) -> Exception | None:
    """Take frames until the stream ends; return why it has to."""
    try:
        while (frame := await context.read()) is not grpc.aio.EOF:
            line.received(link, frame)
    except (ValueError, HostdError) as error:
        return error
    return None


async def _write(link: Link, context: Any) -> None:
    while (frame := await link.next_frame()) is not None:
        await context.write(frame)
