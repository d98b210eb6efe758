"""What stands in the journal, on the disk and in processes of plugins: read every ten seconds beside the loop.

A scrape shows what was found last; it reads nothing itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from hostd.errors.base import HostdError
from hostd.host.process.usage import Usage, usage_of
from hostd.journal.port import Journal
from hostd.runtime.triggers.subscriptions import Subscription, subscriptions_of
from hostd.wiring.parts import Parts

BEHIND_MAX = 10_000  # events that are counted for one subscription
Read: TypeAlias = "dict[tuple[str, ...], float]"


class Standing:
    """What was found last."""

    def __init__(self) -> None:
        self._used: dict[str, Usage] = {}
        self._letters: Read = {}
        self._behind: Read = {}
        self._free: Read = {}

    def look(self, parts: Parts) -> Callable[[], None]:
        """Note on the loop what to look at; what is returned looks at it, and blocks."""
        processes = parts.guests.host.processes
        pids = {plugin: one.pid for plugin, one in processes.known.items()} if processes is not None else {}
        subscriptions = subscriptions_of(parts.ways_in.triggers, parts.base.clock.wall_ms())
        return partial(self._note, parts.base.journal, parts.base.data, pids, subscriptions)

    def _note(
        self, journal: Journal, data: Path | None, pids: Mapping[str, int], subscriptions: list[Subscription]
    ) -> None:
        self._used = usage_of(pids)
        self._free = _free_bytes(data)
        try:
            self._letters = _letters(journal)
            self._behind = _behind(journal, subscriptions)
        except HostdError:  # the journal tells the loop itself that it cannot be read
            return

    def read_by(self, parts: Parts) -> None:
        """Let a core's meter read it."""
        reading = parts.base.meter.reading
        reading("hostd_plugin_process_memory_bytes", lambda: {(p,): use.memory_bytes for p, use in self._used.items()})
        reading("hostd_plugin_process_cpu_seconds", lambda: {(p,): use.cpu_s for p, use in self._used.items()})
        reading("hostd_dead_letters", lambda: self._letters)
        reading("hostd_subscription_behind_events", lambda: self._behind)
        reading("hostd_data_free_bytes", lambda: self._free)


def _free_bytes(data: Path | None) -> Read:
    try:
        return {(): float(shutil.disk_usage(data).free)} if data is not None else {}
    except OSError:  # a number for people must not stop the sweep
        return {}


def _letters(journal: Journal) -> Read:
    """Return dead letters by namespace; of `default` also where there are none."""
    counts = {"default": 0} | journal.dead_letter_counts()
    return {(namespace,): float(count) for namespace, count in counts.items()}


def _behind(journal: Journal, subscriptions: list[Subscription]) -> Read:
    """Return by workflow how many events wait for that of its subscriptions which most wait for."""
    found: Read = {}
    for one in subscriptions:
        count = journal.events_behind(one.namespace, one.topics, after=one.after, most=BEHIND_MAX)
        place = (one.workflow,)
        found[place] = max(found.get(place, 0.0), float(min(count, BEHIND_MAX)))
    return found
