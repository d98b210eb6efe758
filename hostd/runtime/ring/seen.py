"""What the journal knows of request ids and keys, read just before what asks for them enters the lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hostd.errors.base import HostdError
from hostd.journal.port import Journal, RequestId, RunRow
from hostd.model.messages import Terminate
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers

START_VERB = "start"
REPLACED = "another run of the same key was started"


class Asking(Protocol):
    """What is looked up for something that a door asks for: a start, or a signal for the open run of a key."""

    @property
    def namespace(self) -> str: ...

    @property
    def workflow(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def request_id(self) -> str: ...

    @property
    def digest(self) -> bytes: ...

    @property
    def on_open(self) -> str: ...

    @property
    def on_closed(self) -> str: ...

    @property
    def principal(self) -> str: ...


def name_of(start: Asking) -> tuple[str, str, str]:
    """Return what one run at a time may be open of: namespace, workflow and key."""
    return (start.namespace, start.workflow, start.key)


class LookAgain(Exception):
    """A run of the key was started after the journal was looked at, and has left memory since."""


class Seen:
    """What the journal knew of request ids and keys just before the start entered the lane, after so many turns."""

    __slots__ = ("closed_runs", "open_runs", "request_ids", "turns")

    def __init__(self, turns: int = 0) -> None:
        self.turns = turns
        self.request_ids: dict[tuple[str, str, str], RequestId] = {}
        self.open_runs: dict[tuple[str, str, str], RunRow] = {}
        self.closed_runs: dict[tuple[str, str, str], RunRow] = {}  # only where a start's on_closed asks


NOTHING_SEEN = Seen()


class Look:
    """Reads it; a run that a start takes the place of is terminated."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers

    async def __call__(self, starts: Sequence[Asking]) -> Seen:
        """Read what is known of the request ids and keys: one hop to a reader thread, none where there are none."""
        ids = [(start.namespace, START_VERB, start.request_id) for start in starts if start.request_id]
        keys = {name_of(start): start for start in starts if start.key}
        if not ids and not keys:
            return NOTHING_SEEN
        strict = {name_of(start) for start in starts if start.key and start.on_closed != "ALLOW"}
        seen = Seen(self._loop.durable_turns)
        await self._readers.call(self._read, seen, ids, list(keys), strict)
        repeated = {name_of(start) for start in starts if _known_id(start, seen)}
        for name, row in list(seen.open_runs.items()):
            if keys[name].on_open == "TERMINATE_EXISTING" and name not in repeated:
                await self._terminate(row.run, keys[name].principal)
                del seen.open_runs[name]
        return seen

    async def _terminate(self, run: int, principal: str) -> None:
        try:
            await self._loop.ask(run, Terminate(REPLACED), principal)
        except HostdError as error:
            if error.reason != "RUN_MISSING":  # it ended just now
                raise

    def _read(
        self,
        seen: Seen,
        ids: list[tuple[str, str, str]],
        keys: list[tuple[str, str, str]],
        strict: set[tuple[str, str, str]],
    ) -> None:
        if ids:
            seen.request_ids = self._journal.request_ids(ids)
        for name in keys:
            row = self._journal.newest_run(*name, live=True)
            if row is not None:
                seen.open_runs[name] = row
            elif name in strict:
                closed = self._journal.newest_run(*name)
                if closed is not None:
                    seen.closed_runs[name] = closed


def _known_id(start: Asking, seen: Seen) -> bool:
    return (start.namespace, START_VERB, start.request_id) in seen.request_ids
