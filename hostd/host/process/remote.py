"""Actions and triggers as the host calls them, carried out in a plugin's process."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.host.lost import AttemptLostError
from hostd.host.process.desk import HostedTrigger
from hostd.host.process.held import Held, result_of
from hostd.host.process.link import Link, LinkLostError, fault_error
from hostd.host.process.plugin_process import PluginProcess
from hostd.plugin import EndOfTrigger, NotConnected, PermanentFailure, RetryLater, Trigger
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import dump_json, parse_json

STOP_TRIGGER_S = 8.0
LEAVES_S = 30.0  # a process that says it drains
EPOCH = 0  # of this peer's shards; rises when an owner changes


class NotBegunError(Exception):
    """The process was about to end, and did not begin the attempt."""

    def __init__(self, fault: pb.Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class RemoteAction:
    """An action in a process: `run` is driven like any other action's."""

    def __init__(self, process: PluginProcess, action: str) -> None:
        self.id = action
        self._process = process

    async def run(self, ctx: Any, options: bytes) -> Any:
        """Have the process do one attempt.

        Raises:
            AttemptLostError: the process died with it. Else what the action raised.
        """
        attempt_id = pb.AttemptId(run_id=ctx.run_id, step=ctx.step, attempt=ctx.attempt, epoch=EPOCH)
        place = (ctx.run_id, ctx.step)
        suspects = self._process.claims.suspects
        await suspects.enter(place)
        try:
            return await self._run(ctx, options, attempt_id)
        finally:
            suspects.leave(place)

    async def _run(self, ctx: Any, options: bytes, attempt_id: pb.AttemptId) -> Any:
        while True:
            link = await self._process.link()
            while not self._process.prepared(self.id):
                await self._process.prepare(self.id)
                link = await self._process.link()
            held = self._process.claims.hold(attempt_id, ctx)
            try:
                link.send(pb.FromHost(start_attempt=_start(self.id, ctx, options, attempt_id)))
                return await self._outcome(held, ctx)
            except NotBegunError as refused:
                await self._wait_for_the_next(link, refused)
            finally:
                self._process.claims.let_go(held)

    async def _wait_for_the_next(self, link: Link, refused: NotBegunError) -> None:
        """Wait until a process that is about to end has; the next one begins the attempt. Raises HostdError."""
        try:
            async with asyncio.timeout(LEAVES_S):
                await link.closed.wait()
        except TimeoutError:
            raise fault_error(refused.fault) from None

    def holds(self, run_id: str, step: str, attempt: int) -> bool:
        """Say whether the process holds, or may hold, an attempt that this daemon has not begun.

        One that an earlier daemon left behind may dial long after recovery; `again` hears then what it holds.
        """
        return self._process.inherited or self._process.claims.claimed((run_id, step, attempt))

    async def again(self, ctx: Any) -> Any:
        """Wait for an attempt that the process holds since before this daemon."""
        attempt_id = pb.AttemptId(run_id=ctx.run_id, step=ctx.step, attempt=ctx.attempt, epoch=EPOCH)
        return await self._outcome(self._process.claims.hold(attempt_id, ctx), ctx)

    async def _outcome(self, held: Held, ctx: Any) -> Any:
        process = self._process
        try:
            outcome = await self._answer(held)
        finally:
            process.claims.let_go(held)
        process.claims.suspects.ended(held.place)
        if outcome.fault.reason == "DRAINING" and not outcome.fault.code:
            process.recorded(held.id)
            raise NotBegunError(outcome.fault)
        ctx.when_recorded = lambda: process.recorded(held.id)
        return result_of(outcome, parse_json, ctx.log.error)

    async def _answer(self, held: Held) -> pb.Outcome:
        """Return the outcome; when the attempt is to stop, tell the process and wait for what it says to that.

        The host gives an attempt up when its grace is over, whatever comes of this.
        """
        try:
            return await asyncio.shield(held.answer)
        except asyncio.CancelledError:
            if held.answer.done():
                raise
            await self._ask_to_stop(held)
            return await held.answer

    async def _ask_to_stop(self, held: Held) -> None:
        link = await self._process.link()
        link.send(pb.FromHost(cancel_attempt=pb.CancelAttempt(id=held.id)))


def _start(action: str, ctx: Any, options: bytes, attempt_id: pb.AttemptId) -> pb.StartAttempt:
    deadline, trace = ctx.deadline, ctx.trace
    return pb.StartAttempt(
        id=attempt_id,
        action=action,
        options=options,
        namespace=ctx.namespace,
        workflow=ctx.workflow,
        idempotency_key=ctx.idempotency_key,
        deadline_ms=round(deadline.timestamp() * 1000) if deadline is not None else 0,
        progress=dump_json(ctx.progress) if ctx.progress is not None else b"",
        traceparent=trace.get("traceparent", ""),
        tracestate=trace.get("tracestate", ""),
    )


class RemoteTrigger(Trigger[Any]):
    """A configured trigger in a process; provisioned, validated and closed there, which also says when it has begun."""

    tells_begun = True

    def __init__(self, process: PluginProcess, trigger: str, options: bytes) -> None:
        super().__init__(options)
        self.id = trigger  # type: ignore[misc]
        self._process = process

    async def run(self, ctx: Any) -> None:
        """Have the process run the trigger until it ends. Raises what steers the host, as the trigger raised it."""
        try:
            link = await self._process.link()
            hosted = self._process.conversation.begin_trigger(ctx)
            try:
                link.send(pb.FromHost(start_trigger=self._start(ctx, hosted.instance)))
                if not link.hello.begun:
                    ctx.begun()  # this one never says so
                ended = await self._ended(hosted)
            finally:
                self._process.conversation.end_trigger(hosted)
        except (LinkLostError, AttemptLostError):
            raise NotConnected(f"the process of plugin {self._process.plugin} is gone") from None
        _steer(ended)

    async def _ended(self, hosted: HostedTrigger) -> pb.TriggerEnded:
        try:
            return await asyncio.shield(hosted.ended)
        except asyncio.CancelledError:
            if not hosted.ended.done():
                link = await self._process.link()
                link.send(pb.FromHost(stop_trigger=pb.StopTrigger(instance=hosted.instance)))
                await asyncio.wait([hosted.ended], timeout=STOP_TRIGGER_S)
            raise

    async def partitions(self, ctx: Any) -> list[str]:
        """Return the trigger's partitions as the process lists them. Raises HostdError."""
        hosted = self._process.conversation.begin_trigger(ctx)  # so that it may ask for secrets and keys while it looks
        try:
            frame = pb.FromHost(plan_partitions=pb.PlanPartitions(trigger=self._start(ctx, hosted.instance)))
            answered = await self._process.ask(frame)
        finally:
            self._process.conversation.end_trigger(hosted)
            hosted.ended.cancel()
        if answered.WhichOneof("frame") == "done":
            raise fault_error(answered.done.fault)
        if answered.partitions.HasField("fault"):
            raise fault_error(answered.partitions.fault)
        return list(answered.partitions.keys)

    def _start(self, ctx: Any, instance: str) -> pb.StartTrigger:
        return pb.StartTrigger(
            instance=instance,
            trigger=self.id,
            options=self.options,
            settings=self._process.provisioning.settings.get(self.id, b""),
            namespace=ctx.namespace,
            workflow=ctx.workflow,
            name=ctx.name,
            cursor=dump_json(ctx.cursor) if ctx.cursor is not None else b"",
            partition=getattr(ctx, "partition", "") or "",
            since_ms=round(ctx.since.timestamp() * 1000) if ctx.since is not None else 0,
        )


class TriggerCrashedError(Exception):
    """The trigger raised something of its own inside its process; the message names the class."""


def _steer(ended: pb.TriggerEnded) -> None:
    """Raise what the end of a trigger means, as the trigger raised it."""
    message = ended.message[:2_000]
    if ended.verdict == "ENDED":
        raise EndOfTrigger(message)
    if ended.verdict == "LATER":
        raise RetryLater(ended.after_ms / 1000 or None, message)
    if ended.verdict == "RECONNECT":
        raise NotConnected(message)
    if ended.verdict == "FAILED":
        raise PermanentFailure(message)
    if ended.traceback:
        message = f"{message}\n{ended.traceback[:8_000]}"
    raise TriggerCrashedError(message)
