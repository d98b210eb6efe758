"""Plugins that the operator put together: whichever is needed first starts one process for all of the group that have
none. Each keeps a connection, permissions and a life of its own; what ends the process ends it for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from hostd.host.process.child import Child, Identity
from hostd.host.process.launch import CHILD_MODULE, COOKIE, PLUGIN, VERSION, Launch

GATHER_S = 2.0  # for folders that are still read when the first of a group starts
GROUP = "HOSTD_PLUGIN_GROUP"
_log = logging.getLogger("hostd.host.process")


class Lodger(Protocol):
    """A plugin whose process may be shared."""

    plugin: str
    version: str
    launch: Launch

    @property
    def cookie(self) -> str:
        """What its part of the process says to be let in."""
        ...

    def free(self) -> bool:
        """Say whether it has no process and may have one."""
        ...

    @property
    def resting(self) -> bool:
        """Whether its process is about to be gone."""
        ...

    def summon(self, child: Child) -> None:
        """Somebody has started a process with it inside."""
        ...

    def idle_s(self) -> float:
        """Return for how long nothing was asked of it, in seconds."""
        ...


class Group:
    """Its members by id, as far as they are there. `turn`: one starts at a time."""

    def __init__(self, name: str, members: Iterable[str]) -> None:
        self.name = name
        self.turn = asyncio.Lock()
        self._awaited = set(members)
        self._complete = asyncio.Event()
        self._lodgers: list[Lodger] = []
        self._went = asyncio.Event()

    def went(self) -> None:
        """The process of one of them is gone."""
        self._went.set()

    def enter(self, lodger: Lodger) -> None:
        """One more is there."""
        self._lodgers.append(lodger)
        self._awaited.discard(lodger.plugin)
        if not self._awaited:
            self._complete.set()

    def leave(self, lodger: Lodger) -> None:
        """It comes no more."""
        if lodger in self._lodgers:
            self._lodgers.remove(lodger)

    async def gathered(self, first: Lodger) -> list[Lodger]:
        """Return who is to be in the process that one needs: it first, then all that can be and have none.

        The first time, members that are not there yet are waited for, a moment.
        """
        try:
            async with asyncio.timeout(GATHER_S):
                await self._complete.wait()
        except TimeoutError:
            missing = ", ".join(sorted(self._awaited))
            _log.info("plugin_group_incomplete group=%s missing=%s", self.name, missing)
        self._complete.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                while any(lodger.resting for lodger in self._lodgers):  # they went together, and come together
                    self._went.clear()
                    await self._went.wait()
        kin = [
            one
            for one in self._lodgers
            if one is not first and one.free() and _surroundings(one) == _surroundings(first)
        ]
        return [first, *kin] if _surroundings(first) is not None else [first]


def _surroundings(lodger: Lodger) -> tuple[object, ...] | None:
    """Return what those in one process have in common; None for what is no plugin in Python."""
    launch = lodger.launch
    if len(launch.command) < 5 or launch.command[-3] != CHILD_MODULE:
        return None
    return (launch.command[:-2], launch.folder, sorted(launch.environment.items()))


def together(lodgers: list[Lodger]) -> Launch:
    """Return how a process of several plugins is started."""
    launch = lodgers[0].launch
    members = [
        {"arguments": one.launch.command[-2:], COOKIE: one.cookie, PLUGIN: one.plugin, VERSION: one.version}
        for one in lodgers
    ]
    environment = {**launch.environment, GROUP: json.dumps(members)}
    return launch._replace(command=(*launch.command[:-2], "--group"), environment=environment)


class Sharing:
    """Who lives in which process, and which plugins go together."""

    def __init__(self, groups: Mapping[str, Iterable[str]] | None = None) -> None:
        made = {name: (Group(name, members), tuple(members)) for name, members in (groups or {}).items()}
        self._groups = {member: group for group, members in made.values() for member in members}
        self._lodgers: dict[Identity, tuple[Child, list[Lodger]]] = {}

    def group_of(self, plugin: str) -> Group | None:
        """Return the group of a plugin, None for one that is by itself."""
        return self._groups.get(plugin)

    def known(self, identity: Identity) -> Child | None:
        """Return a process that some plugin lives in already."""
        found = self._lodgers.get(identity)
        return found[0] if found is not None else None

    def move_in(self, child: Child, lodger: Lodger) -> None:
        """A plugin lives in the process from here on."""
        self._lodgers.setdefault(child.identity, (child, []))[1].append(lodger)

    def move_out(self, child: Child, lodger: Lodger) -> bool:
        """It lives there no more; return whether nobody does."""
        _, lodgers = self._lodgers.get(child.identity, (child, []))
        if lodger in lodgers:
            lodgers.remove(lodger)
        if not lodgers:
            self._lodgers.pop(child.identity, None)
        return not lodgers

    def idle_s(self, child: Child) -> float:
        """Return for how long nothing was asked of anybody who lives there, in seconds."""
        _, lodgers = self._lodgers.get(child.identity, (child, []))
        return min((lodger.idle_s() for lodger in lodgers), default=0.0)
