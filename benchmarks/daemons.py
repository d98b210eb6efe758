"""Daemons in processes of their own, and clients that talk to them over their socket."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.bench import Skipped
from hostd.client import Client, connect
from hostd.client.address import ELSEWHERE, SOCKET
from hostd.errors.base import HostdError
from hostd.v1.workflow_service_pb2 import RegisterWorkflowRequest

READY_S = 30.0
POLL_S = 0.005
PRODUCT = ("-m", "hostd", "serve")


@asynccontextmanager
async def daemon(
    data: Path, *documents: bytes, program: Sequence[str] = PRODUCT
) -> AsyncIterator[tuple[Client, asyncio.subprocess.Process]]:
    """Start a daemon on a data folder, register workflows, and yield a client and the process; end both afterwards."""
    process = await start(data, program=program)
    try:
        async with answering(data, process) as client:
            for document in documents:
                request = RegisterWorkflowRequest(document=document.decode(), activate=True)
                await client.call(client.workflows.RegisterWorkflow, request)
            yield client, process
    finally:
        await stop(process)


async def start(data: Path, *, program: Sequence[str] = PRODUCT) -> asyncio.subprocess.Process:
    """Start a daemon with nothing but its socket; it is not yet ready."""
    flags = ("--data", str(data), "--listen", "off", "--http", "off", "--log-level", "error")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return await asyncio.create_subprocess_exec(
        sys.executable, *program, *flags, env=environment, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def answering(data: Path, process: asyncio.subprocess.Process) -> AsyncIterator[Client]:
    """Yield a client as soon as the daemon serves. Raises Skipped when the daemon ends instead."""
    async with asyncio.timeout(READY_S):
        places = (data / SOCKET, data / ELSEWHERE)  # the second where the path is too long for a socket
        while not any(place.exists() for place in places):
            await _still_there(process)
        client = connect(data=data)
        while not await _serves(client):
            await _still_there(process)
    async with client:
        yield client


async def _serves(client: Client) -> bool:
    try:
        return await client.is_serving()
    except HostdError:
        return False


async def _still_there(process: asyncio.subprocess.Process) -> None:
    """Wait a moment."""
    if process.returncode is not None:
        complaint = b"" if process.stderr is None else await process.stderr.read()
        raise Skipped(f"the daemon did not start: {complaint.decode(errors='replace').strip()[-300:]}")
    await asyncio.sleep(POLL_S)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a daemon, and wait for it."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()
