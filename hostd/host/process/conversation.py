"""What a plugin's process and the host say to each other, over whichever connection there is."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Any

from hostd.aio import Clock
from hostd.errors.base import HostdError
from hostd.host.process.alone import Suspects
from hostd.host.process.desk import Desk, HostedTrigger
from hostd.host.process.link import Link, LinkLostError
from hostd.host.process.provisioning import Provisioning
from hostd.host.process.recordings import Recordings
from hostd.plugin.v1 import host_pb2 as pb

STRAY_FRAMES_MAX = 1_000
_log = logging.getLogger("hostd.host.process")


class Conversation:
    """Of one plugin. `changed` is told when the connection came or went, or what was said changes its life."""

    def __init__(self, plugin: str, permissions: frozenset[str], clock: Clock, changed: Callable[[], None]) -> None:
        self.desk = Desk(plugin, permissions, Suspects(clock))
        self.claims = self.desk.claims
        self.provisioning = Provisioning()
        self.link: Link | None = None
        self.leaving = asyncio.Event()  # it said that it goes, or was told to
        self.violation = ""  # how the child broke the protocol
        self.used_s = clock.monotonic_s()
        self._plugin = plugin
        self._clock = clock
        self._changed = changed
        self._recordings = Recordings(self._tell_recorded)
        self._stray = 0
        self._instances = itertools.count(1)

    @property
    def busy(self) -> bool:
        """Whether the process has, or may have, anything to do."""
        return self.claims.any or bool(self.desk.triggers) or (self.link is not None and self.link.asked > 0)

    def idle_s(self) -> float:
        """Return for how long nothing was asked of it, in seconds."""
        return 0.0 if self.busy else self._clock.monotonic_s() - self.used_s

    def used(self) -> None:
        """Somebody needs the process."""
        self.used_s = self._clock.monotonic_s()

    # -- the connection

    def begin(self, link: Link) -> None:
        """Go on over a new connection; where there is one the child has given it up, whatever the system thinks."""
        if self.link is not None:
            self.link.close()
        self.provisioning.forget()
        self.link = link
        self.used()
        self.claims.said(self._recordings.without(link.hello.running))
        if self.claims.recovered:
            self.drop_unclaimed()
        self._recordings.soon()

    def lost(self, link: Link) -> None:
        """The connection is gone: triggers start anew; attempts may come back with the child, for a while."""
        if self.link is link:
            self.link = None
            self.provisioning.forget()
            self._lose_triggers()
            self._changed()

    def end(self, why: str = "") -> None:
        """The process is gone, and what it held with it; `why` as far as that is known."""
        link, self.link = self.link, None
        if link is not None:
            link.close()
        self._recordings.forget()
        self.leaving.clear()
        self.violation = ""
        self.provisioning.forget()
        self.claims.lose_all(why)
        self._lose_triggers()
        self._changed()

    def refused(self, why: str) -> None:
        """The child broke the protocol."""
        self.violation = f"it broke the protocol: {why}"
        self._changed()

    # -- what the child says

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame, or a batch of them. Raises ValueError when the child breaks the protocol."""
        if link is not self.link:
            return
        for each in frame.batch.frames if frame.HasField("batch") else (frame,):
            self._received(link, each)

    def _received(self, link: Link, frame: pb.FromPlugin) -> None:
        kind = frame.WhichOneof("frame")
        if kind == "outcome":
            self._outcome(frame.outcome)
        elif kind == "trigger_ended":
            self._trigger_ended(frame.trigger_ended)
        elif kind == "trigger_begun":
            self._trigger_begun(frame.trigger_begun)
        elif kind == "leaving":
            _log.info("plugin_leaves plugin=%s why=%s", self._plugin, frame.leaving.message[:500])
            self.leaving.set()
            self._changed()
        elif kind in ("done", "webhook_answer", "partitions", "slots"):
            if not link.answered(frame):
                self._count_stray()
        elif not self.desk.take(link, frame):
            raise ValueError(f"a frame {kind or 'that this host does not know'} has no place here")

    def _outcome(self, outcome: pb.Outcome) -> None:
        self.used()
        if not self.claims.came(outcome):
            self.recorded(outcome.id)
            self._count_stray()

    def _trigger_ended(self, ended: pb.TriggerEnded) -> None:
        hosted = self.desk.triggers.get(ended.instance)
        if hosted is not None and not hosted.ended.done():
            hosted.ended.set_result(ended)

    def _trigger_begun(self, begun: pb.TriggerBegun) -> None:
        hosted = self.desk.triggers.get(begun.instance)
        if hosted is not None and not hosted.ended.done():
            hosted.context.begun()

    def _count_stray(self) -> None:
        self._stray += 1
        if self._stray > STRAY_FRAMES_MAX:
            self._stray = 0
            raise ValueError(f"more than {STRAY_FRAMES_MAX} frames about things that nobody asked it for")

    # -- what the host says

    def recorded(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child, soon, that an outcome is durable, or of no use."""
        self.claims.recorded(attempt_id)
        self._recordings.add(attempt_id)

    def _tell_recorded(self, attempt_ids: list[pb.AttemptId]) -> bool:
        if self.link is None:
            return False
        try:
            self.link.send(pb.FromHost(recorded=pb.Recorded(ids=attempt_ids)))
        except HostdError:
            return False  # it does not read now
        return True

    def drop_unclaimed(self) -> None:
        """Recovery is over: stop what the child holds and nobody waits for."""
        for attempt_id in self.claims.unclaimed():
            if self.link is not None:
                self.link.send(pb.FromHost(cancel_attempt=pb.CancelAttempt(id=attempt_id)))
                self.recorded(attempt_id)

    def begin_trigger(self, context: Any) -> HostedTrigger:
        """Return a place for a configured trigger."""
        hosted = HostedTrigger(f"{self._plugin}-{next(self._instances)}", context)
        self.desk.triggers[hosted.instance] = hosted
        return hosted

    def end_trigger(self, hosted: HostedTrigger) -> None:
        """The host runs a configured trigger no more."""
        self.used()
        self.desk.triggers.pop(hosted.instance, None)

    def _lose_triggers(self) -> None:
        for hosted in self.desk.triggers.values():
            if not hosted.ended.done():
                hosted.ended.set_exception(LinkLostError())
