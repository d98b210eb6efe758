"""The connection to the host: dialled, lost, dialled again; frames out in order, questions kept until answered."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any, NamedTuple, Protocol

import grpc

from hostd.errors.base import HostdError, Kind
from hostd.plugin.process.outbox import Outbox
from hostd.plugin.process.question import Question
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.v1 import host_pb2_grpc as rpc

PROTOCOL_MIN = PROTOCOL_MAX = 1
FIRST_DELAY_S, DELAY_S_MAX = 0.05, 2.0
STEADY_S = 5.0  # a connection that lasted so long was a good one: the back-off begins anew
WELCOME_S = 10.0
QUESTIONS_MAX = 1_000
BATCH_FRAMES = 256
UNTIL_WELCOME_BYTES = 4 * 1024 * 1024
RECEIVE_BYTES_MAX = 128 * 1024 * 1024
OPTIONS = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),  # Welcome says how much; frames are measured before they are queued
    ("grpc.use_local_subchannel_pool", 1),  # each try dials by itself, without waiting for the last one's back-off
    ("grpc.enable_retries", 0),
)
FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Dialling again cannot help."""


class HostRefusedError(Exception):
    """The host does not want this process, and says why."""


class HostLostError(Exception):
    """The host did not come back in time."""


class Receiver(Protocol):
    """Whoever holds the link."""

    def hello(self) -> pb.Hello:
        """Return what is said first."""
        ...

    def connected(self, welcome: pb.Welcome) -> None:
        """The host said Welcome: send again what it may have missed."""
        ...

    def received(self, frame: pb.FromHost) -> None:
        """A frame came that answers no question."""
        ...

    def lost(self) -> None:
        """The connection is gone; `run` dials again."""
        ...


class Dial(NamedTuple):
    """Where the host is, and how long it may be gone, in seconds. `once`: Hello is all there is to say."""

    address: str
    orphan_s: float
    once: bool = False


class Link:
    """The child's end of the stream."""

    def __init__(self, dial: Dial, receiver: Receiver, tasks: Tasks, dice: random.Random) -> None:
        self.frame_bytes_max = UNTIL_WELCOME_BYTES
        self.up = False
        self._batches = False  # whether the host understands them
        self.takes_begun = False  # whether it takes TriggerBegun
        self.outbox = Outbox()
        self._dial = dial
        self._receiver = receiver
        self._tasks = tasks
        self._dice = dice
        self._numbers = itertools.count(1)
        self._questions: dict[int, Question] = {}
        self._asking = asyncio.Semaphore(QUESTIONS_MAX)
        self._call: Any = None
        self._finishing = False
        self._down = asyncio.Event()
        self._enough = asyncio.Event()

    async def run(self) -> None:
        """Keep the connection until `finish`.

        Raises:
            HostRefusedError, HostLostError
        """
        loop = asyncio.get_running_loop()
        lost_s, delay_s = loop.time(), FIRST_DELAY_S
        while True:
            began_s = loop.time()
            welcomed = await self._connect_once(max(0.1, lost_s + self._dial.orphan_s - loop.time()))
            if self._finishing:
                return
            if welcomed:
                lost_s = loop.time()
                delay_s = FIRST_DELAY_S if lost_s - began_s > STEADY_S else delay_s
            left_s = lost_s + self._dial.orphan_s - loop.time()
            if left_s <= 0:
                raise HostLostError(f"the host did not come back within {self._dial.orphan_s:g} s")
            if await self._rested(min(left_s, delay_s * self._dice.uniform(0.7, 1.3))):
                return
            delay_s = min(delay_s * 2, DELAY_S_MAX)

    async def _rested(self, seconds: float) -> bool:
        """Wait before the next try; return whether there is to be none."""
        try:
            async with asyncio.timeout(seconds):
                await self._enough.wait()
        except TimeoutError:
            return False
        return True

    async def _connect_once(self, patience_s: float) -> bool:
        """Dial, and serve until the stream ends; return whether the host said Welcome. Raises HostRefusedError."""
        channel = grpc.aio.insecure_channel(self._dial.address, options=OPTIONS)
        call = self._call = rpc.HostStub(channel).Connect()  # type: ignore[call-arg]
        try:
            welcome = await self._greet(call, min(patience_s, WELCOME_S))
            if welcome is None:
                return False
            await self._serve(call, welcome)
            return True
        finally:
            self._call = None
            call.cancel()
            await channel.close()

    async def _greet(self, call: Any, patience_s: float) -> pb.Welcome | None:
        """Return the host's Welcome, None where another try may get one. Raises HostRefusedError."""
        try:
            async with asyncio.timeout(patience_s):
                await call.write(pb.FromPlugin(hello=self._receiver.hello()))
                first = await call.read()
        except TimeoutError:
            return None
        except (grpc.RpcError, asyncio.InvalidStateError):
            await self._raise_if_final(call)
            return None
        except asyncio.CancelledError:
            if _told_to_stop():
                raise
            return None  # the call was dropped
        if first is grpc.aio.EOF:
            self._finishing = self._dial.once
            return None
        if first.WhichOneof("frame") != "welcome":
            raise HostRefusedError("the host's first frame is no Welcome")
        if not PROTOCOL_MIN <= first.welcome.protocol <= PROTOCOL_MAX:
            raise HostRefusedError(f"the host speaks protocol {first.welcome.protocol}, this SDK {PROTOCOL_MAX}")
        return first.welcome  # type: ignore[no-any-return]

    async def _raise_if_final(self, call: Any) -> None:
        code = await call.code()
        if code in FINAL:
            raise HostRefusedError(f"{code.name}: {await call.details()}")

    async def _serve(self, call: Any, welcome: pb.Welcome) -> None:
        if welcome.frame_bytes_max:
            self.frame_bytes_max = welcome.frame_bytes_max
        self._batches = welcome.batches
        self.takes_begun = welcome.begun
        self.up = True
        self._down.clear()
        self._receiver.connected(welcome)
        writer = self._tasks.spawn(self._write(call), name="frames to the host")
        try:
            while (frame := await call.read()) is not grpc.aio.EOF:
                self._take(frame)
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass  # lost: `run` dials again
        except asyncio.CancelledError:
            if _told_to_stop():
                raise
        finally:
            self.up = False
            self._down.set()
            writer.cancel()
            self._sort_out()
            self._receiver.lost()

    async def _write(self, call: Any) -> None:
        try:
            while True:
                leaves = await self.outbox.next(BATCH_FRAMES if self._batches else 1)
                frames = [leaf.frame for leaf in leaves if leaf.frame is not None]
                if not frames:
                    await call.done_writing()
                    return
                for leaf in leaves:
                    if leaf.question is not None:
                        leaf.question.sent = True
                one = frames[0] if len(frames) == 1 else pb.FromPlugin(batch=pb.PluginBatch(frames=frames))
                await call.write(one)
        except (grpc.RpcError, asyncio.InvalidStateError):
            call.cancel()

    def _take(self, frame: pb.FromHost) -> None:
        for each in frame.batch.frames if frame.HasField("batch") else (frame,):
            self._take_one(each)

    def _take_one(self, frame: pb.FromHost) -> None:
        if frame.WhichOneof("frame") not in ("emitted", "host_answer", "route_opened"):
            self._receiver.received(frame)
            return
        question = self._questions.get(frame.call)
        if question is not None and not question.answer.done():
            question.answer.set_result(frame)

    def _sort_out(self) -> None:
        """Keep the questions that may be asked (again), fail the others; what else was queued is made anew, or gone."""
        self.outbox.clear()
        for question in self._questions.values():
            if not question.queued or question.answer.done():
                continue
            if question.sent and not question.again:
                question.answer.set_exception(_unknown())
            else:
                self.outbox.push(question.frame, question)

    # -- for the rest of the process

    def check_size(self, frame: pb.FromPlugin) -> None:
        """Raise HostdError PAYLOAD_TOO_LARGE when the host takes no frame as large as this."""
        size = frame.ByteSize()
        if size > self.frame_bytes_max:
            message = f"this needs {size} bytes; the host takes at most {self.frame_bytes_max} at once"
            raise HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", message)

    async def ask(self, frame: pb.FromPlugin, *, again: bool) -> pb.FromHost:
        """Ask the host and return its answer; waits while the host is gone.

        Raises:
            HostdError: PAYLOAD_TOO_LARGE; UNREACHABLE when the connection was lost in between and asking again might
                have it done twice.
        """
        self.check_size(frame)
        async with self._asking:
            number = frame.call = next(self._numbers)
            question = self._questions[number] = Question(frame, again=again)
            try:
                await self.outbox.put(frame, question)
                return await question.answer
            finally:
                del self._questions[number]

    def push(self, frame: pb.FromPlugin) -> None:
        """Send a frame if there is a connection; else it is gone."""
        if self.up:
            self.outbox.push(frame)

    def drop(self) -> None:
        """Give up the present connection; `run` dials again."""
        if self._call is not None:
            self._call.cancel()

    async def finish(self, patience_s: float) -> None:
        """Write what is queued and close the stream; returns when the host has, or when patience ends."""
        self._finishing = True
        self._enough.set()
        if self.up:
            self.outbox.finish()
            try:
                async with asyncio.timeout(patience_s):
                    await self._down.wait()
            except TimeoutError:
                pass  # the host does not close its side: then without it
        self.drop()


def _told_to_stop() -> bool:
    """Say whether it was this task that is cancelled, and not just the call it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _unknown() -> HostdError:
    message = "the connection to the host was lost before it answered; it may have been done or not"
    return HostdError(Kind.UNAVAILABLE, "UNREACHABLE", message)
