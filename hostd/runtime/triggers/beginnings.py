"""Waiting until triggers have begun, and what to tell of those that have not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from hostd.runtime.triggers.trigger_live import Live, Name
from hostd.runtime.triggers.triggers import Triggers

BEGIN_S = 5.0  # who activates triggers waits for them so long at most
TOLD_MAX = 20
LATE = "the triggers have not begun yet: others take their time to stop; `hostd trigger list` says when they have"


class Beginnings:
    """Waits a short time: a plugin that never begins holds nobody up, it is told of."""

    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    async def of_workflow(self, namespace: str, workflow: str, *, within_s: float | None = None) -> Sequence[str]:
        """Wait for the triggers of a workflow's active version; return a warning for each that does not run.

        Args:
            within_s: less than BEGIN_S where the caller has less time.
        """
        found, settled = await self._begun(lambda: self._triggers.list(namespace, workflow), within_s)
        return _told(found, settled, lambda live: live.name[2])

    async def of_trigger(self, name: Name, *, within_s: float | None = None) -> Sequence[str]:
        """Wait for one trigger; return a warning where it does not run."""
        found, settled = await self._begun(lambda: self._triggers.one(name), within_s)
        return _told(found, settled, lambda live: live.name[2])

    async def of_plugins(self, namespace: str, uses: frozenset[str]) -> Sequence[str]:
        """Wait for every trigger that uses one of these trigger plugins.

        Args:
            namespace: whose triggers are named in the warnings; those of others are nobody's here.
        """
        if not uses:
            return ()
        found, settled = await self._begun(
            lambda: self._triggers.select(lambda live: live.source.plan.uses in uses), None
        )
        return _told([live for live in found if live.name[0] == namespace], settled, _called)

    async def _begun(self, find: Callable[[], Sequence[Live]], within_s: float | None) -> tuple[Sequence[Live], bool]:
        """Return triggers once each of them has begun, could not, or the time is over; and whether all are there.

        One that is replaced meanwhile is waited for anew: `settled` returns when what was asked for lives.
        """
        waited: set[asyncio.Future[None]] = set()
        settled = False
        try:
            async with asyncio.timeout(BEGIN_S if within_s is None else min(BEGIN_S, within_s)):
                while True:
                    settled = False
                    await self._triggers.settled()
                    settled = True
                    starting = [live.decided for live in find() if live.state == "STARTING"]
                    fresh = [decided for decided in starting if decided not in waited]
                    if not fresh:
                        break
                    await asyncio.wait(fresh)
                    waited.update(fresh)
        except TimeoutError:
            pass  # those that are still STARTING are told of
        return find(), settled


def _called(live: Live) -> str:
    return live.source.scope_name.removeprefix("/")


def _told(triggers: Iterable[Live], settled: bool, call: Callable[[Live], str]) -> Sequence[str]:
    """Return warnings. `call`: returns what a trigger is called where it is plain which ones are meant."""
    told = [warning for live in triggers if (warning := _warning(live, call(live)))]
    more = len(told) - TOLD_MAX
    if more > 0:
        told[TOLD_MAX:] = [f"{more} more triggers do not run; `hostd trigger list` shows them"]
    return told if settled else [*told, LATE]


def _warning(live: Live, name: str) -> str:
    """Return what is to be told of a trigger; nothing where it runs, or does not as somebody wants it."""
    match live.state:
        case "FAILED":
            return f"the trigger {name} does not run: {live.message}"
        case "BACKING_OFF":
            return f"the trigger {name} could not begin, and is tried again: {live.message}"
        case "STARTING":
            why = f" ({live.message})" if live.message else ""
            return f"the trigger {name} has not begun yet{why}; `hostd trigger show {_called(live)}` says when it has"
    return ""
