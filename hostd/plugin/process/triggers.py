"""The configured triggers that run in this process, each from construction to close."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.plugin.errors import RetryLater
from hostd.plugin.guard import MESSAGE_CHARS_MAX, Fault, TriggerNext, TriggerVerdict, fault_of, verdict_of
from hostd.plugin.life import alive
from hostd.plugin.loading import summary
from hostd.plugin.option_reading import parse_options
from hostd.plugin.process.actions import WireProvision, Workplace, settings_of
from hostd.plugin.process.link import Link
from hostd.plugin.process.slot_wire import slots_to_wire, window_of
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.process.trigger_scope import TriggerScope
from hostd.plugin.process.wire import fault_to_wire, value_of
from hostd.plugin.registry import Registration
from hostd.plugin.slot_pages import slot_page
from hostd.plugin.trigger import Trigger
from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.webhook import WebhookRequest, path_params

TRIGGERS_MAX = 10_000
PARTITIONS_MAX = 10_000
_WORDS = {
    TriggerNext.ENDED: "ENDED",
    TriggerNext.LATER: "LATER",
    TriggerNext.RECONNECT: "RECONNECT",
    TriggerNext.FAILED: "FAILED",
    TriggerNext.RESTART: "CRASHED",
}


class Hosted:
    """One configured trigger while it runs."""

    def __init__(self) -> None:
        self.scope: TriggerScope | None = None
        self.task: asyncio.Task[None] | None = None
        self.stopping = False
        self.refused: Exception | None = None  # a path it may not answer
        self.answering: set[asyncio.Task[pb.FromPlugin]] = set()

    def stop(self) -> None:
        """Cancel it, once: what it does while it stops is not interrupted by a second reason to stop."""
        if not self.stopping and self.task is not None:
            self.task.cancel()
        self.stopping = True

    def refuse(self, error: Exception) -> None:
        """End it with an error that came too late to be raised where it belongs."""
        if not self.stopping and self.task is not None:
            self.refused = error
            self.task.cancel()


class Triggers:
    """All of them, by the name the host gave their start."""

    def __init__(
        self, registrations: tuple[Registration, ...], workplace: Workplace, *, link: Link, tasks: Tasks
    ) -> None:
        self.draining = False
        self._known = {one.id: one for one in registrations if one.kind == "trigger"}
        self._workplace = workplace
        self._link = link
        self._tasks = tasks
        self._hosted: dict[str, Hosted] = {}

    # -- what the host says

    def start(self, start: pb.StartTrigger) -> None:
        """Run a trigger; one that runs under that name already is left alone."""
        if start.instance in self._hosted:
            return
        if self.draining or len(self._hosted) >= TRIGGERS_MAX:
            told = "the plugin's process is stopping" if self.draining else f"it runs {TRIGGERS_MAX} triggers already"
            self._tell(start.instance, pb.TriggerEnded(verdict="RECONNECT", message=told))
            return
        hosted = self._hosted[start.instance] = Hosted()
        hosted.task = self._tasks.spawn(self._run(start, hosted), name=f"trigger {start.trigger}")

    def stop(self, instance: str) -> None:
        """Stop a trigger; TriggerEnded answers, also where it has ended already."""
        hosted = self._hosted.get(instance)
        if hosted is None:
            self._tell(instance, pb.TriggerEnded(verdict="ENDED", message="it does not run here"))
            return
        hosted.stop()

    def lost(self) -> None:
        """The connection is gone: all stop, the host will start them anew."""
        for hosted in self._hosted.values():
            hosted.stop()

    # -- running

    async def _run(self, start: pb.StartTrigger, hosted: Hosted) -> None:
        error: BaseException | None = None
        try:
            await self._live(start, hosted)
        except GeneratorExit:
            raise
        except BaseException as raised:  # noqa: BLE001 the fence: a plugin may raise anything, and the process goes on
            error = raised
        del self._hosted[start.instance]
        if hosted.scope is not None:
            hosted.scope.close()
        for answering in hosted.answering:
            answering.cancel()
        self._workplace.logs.flush(start.instance, last=True)
        self._tell(start.instance, _ending(error, hosted))

    async def _live(self, start: pb.StartTrigger, hosted: Hosted) -> None:
        scope = hosted.scope = TriggerScope(
            start, self._workplace, link=self._link, tasks=self._tasks, refused=hosted.refuse
        )
        async with alive(self._construct(start), WireProvision(self._workplace, start.trigger)) as trigger:
            if not trigger.tells_begun:
                asyncio.get_running_loop().call_soon(scope.begun)  # when `run` waits for the first time
            await trigger.run(scope)

    def _construct(self, start: pb.StartTrigger) -> Any:
        known = self._registered(start)
        return self._made(known, start, parse_options(known.options, value_of(start.options), owner=known.id))

    def _registered(self, start: pb.StartTrigger) -> Registration:
        known = self._known.get(start.trigger)
        if known is None:
            raise HostdError(Kind.MISSING, "TRIGGER_UNKNOWN", f"this plugin has no trigger {start.trigger[:80]!r}")
        return known

    def _made(self, known: Registration, start: pb.StartTrigger, options: Any) -> Any:
        trigger: Any = known.component(options)
        trigger.settings = settings_of(known, start.settings, self._workplace.plugin)
        return trigger

    def _tell(self, instance: str, ended: pb.TriggerEnded) -> None:
        ended.instance = instance
        self._link.push(pb.FromPlugin(trigger_ended=ended))

    # -- questions

    async def answer(self, webhook: pb.Webhook) -> pb.FromPlugin:
        """Return a trigger's answer to a request. Raises HostdError, and what the handler raises."""
        hosted = self._hosted.get(webhook.instance)
        door = hosted.scope.http if hosted is not None and hosted.scope is not None else None
        handler = door.handler(webhook.route) if door is not None else None
        if hosted is None or door is None or handler is None:
            raise HostdError(Kind.MISSING, "PATH_MISSING", f"no trigger answers {webhook.route[:80]!r} here")
        request = WebhookRequest(
            webhook.method,
            webhook.path,
            dict(webhook.headers),
            dict(webhook.query),
            webhook.body,
            webhook.remote,
            path_params(door.url_path(webhook.route), webhook.path),
        )
        task: asyncio.Task[Any] | None = asyncio.current_task()
        if task is not None:
            hosted.answering.add(task)
        try:
            response = await handler(request)
        finally:
            if task is not None:
                hosted.answering.discard(task)
        answer = pb.WebhookAnswer(status=response.status, headers=dict(response.headers), body=response.body)
        frame = pb.FromPlugin(webhook_answer=answer)
        self._link.check_size(frame)
        return frame

    async def partitions(self, start: pb.StartTrigger) -> pb.FromPlugin:
        """Return the partitions a trigger has."""
        try:
            keys = await self._partitions(start)
        except (Exception, SystemExit) as error:  # noqa: BLE001 the fence
            return pb.FromPlugin(partitions=pb.Partitions(fault=fault_to_wire(fault_of(error))))
        return pb.FromPlugin(partitions=pb.Partitions(keys=keys))

    async def _partitions(self, start: pb.StartTrigger) -> list[str]:
        trigger = self._construct(start)
        if type(trigger).partitions is Trigger.partitions:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{start.trigger} has no `async def partitions(self, ctx)`")
        scope = TriggerScope(start, self._workplace, link=self._link, tasks=self._tasks, refused=lambda _: None)
        async with alive(trigger, WireProvision(self._workplace, start.trigger)):
            keys = list(await trigger.partitions(scope))
        odd = [key for key in keys if not isinstance(key, str)]
        if odd:
            message = f"{start.trigger} lists {odd[0]!r:.80}; a partition is a text"
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
        if len(keys) > PARTITIONS_MAX:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{len(keys)} partitions; at most {PARTITIONS_MAX} are run")
        return keys

    async def slots(self, wanted: pb.PlanSlots) -> pb.FromPlugin:
        """Return when a trigger fires."""
        try:
            told = await asyncio.to_thread(self._slots, wanted)
        except (Exception, SystemExit) as error:  # noqa: BLE001 the fence
            told = pb.Slots(fault=fault_to_wire(fault_of(error)))
        return pb.FromPlugin(slots=told)

    def _slots(self, wanted: pb.PlanSlots) -> pb.Slots:
        start = wanted.trigger
        known = self._registered(start)
        options = parse_options(known.options, value_of(start.options), owner=known.id)
        page = slot_page(known.id, options, lambda given: self._made(known, start, given), window_of(wanted))
        return slots_to_wire(page)

    # -- ending

    async def end(self, patience_s: float) -> None:
        """Stop all and wait for them."""
        tasks = [hosted.task for hosted in self._hosted.values() if hosted.task is not None]
        self.lost()
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)

    async def give_up(self, patience_s: float) -> None:
        """Cancel whatever still runs, once more, and wait a moment."""
        for hosted in self._hosted.values():
            if hosted.stopping and hosted.task is not None:
                hosted.task.cancel()
        await self.end(patience_s)


def _ending(error: BaseException | None, hosted: Hosted) -> pb.TriggerEnded:
    if hosted.stopping and (error is None or isinstance(error, asyncio.CancelledError)):
        return pb.TriggerEnded(verdict="ENDED", message="stopped")
    if isinstance(error, asyncio.CancelledError):
        error = hosted.refused or RuntimeError("the trigger cancelled itself")
    verdict: TriggerVerdict = verdict_of(error)
    if isinstance(error, RetryLater):
        word, after_ms = "LATER", max(1, round(error.after_s * 1000)) if error.after_s is not None else 0
    else:
        word, after_ms = _WORDS[verdict.next], round((verdict.after_s or 0) * 1000)
    message = verdict.message.encode("utf-8", "replace").decode()[:MESSAGE_CHARS_MAX]
    return pb.TriggerEnded(verdict=word, message=message, after_ms=after_ms, traceback=_readable(verdict.traceback))


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def provision_fault(error: BaseException) -> Fault:
    """Return why a component could not be provisioned, or a request not be answered."""
    if isinstance(error, HostdError):
        return fault_of(error)
    told = fault_of(error)
    return Fault("PLUGIN_FAILED", summary(error), retryable=True, traceback=told.traceback)
