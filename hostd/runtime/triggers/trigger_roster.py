"""Which triggers watches were told of, and when: durable, so that the next daemon knows what a token's holder knows.

Written only while somebody watches, when a trigger comes or goes; what a trigger does costs nothing here. A revision is
(life, number): each daemon that is watched begins a life, whose number is higher than any before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from hostd.journal.port import Journal, KvWrite
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.ring.writing import write
from hostd.runtime.triggers.trigger_live import Name

PLACE = "/trigger-watch"  # a namespace nobody can name
LIFE = "life"
PAGE = 1_000
WRITES_MAX = 500  # a turn
_BETWEEN = "\n"

Revision = tuple[int, int]
NEVER: Revision = (0, 0)


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What was told of a trigger. `gone`: when it was told to be deleted, NEVER while it is there."""

    added: Revision
    gone: Revision
    uses: str
    version: str
    target: str


class Begun(NamedTuple):
    """A life that begins: what was told before it, and up to where deletions are forgotten."""

    life: int
    forgotten: Revision
    entries: dict[Name, Entry]


class _Life(msgspec.Struct, frozen=True, gc=False, array_like=True):
    life: int
    forgotten: Revision


class TriggerRoster:
    """Keeps the roster of one journal."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers

    async def begin(self) -> Begun:
        """Begin a life; returns once that is durable. Raises HostdError JOURNAL_*."""
        before, entries = await self._readers.call(self._read)

        def fill(turn: Turn) -> int:
            life = max(before.life + 1, turn.batch.at_ms)  # not one that a journal lost, which was restored short
            turn.batch.kv.append(_row(LIFE, _Life(life, before.forgotten)))
            return life

        return Begun(await write(self._loop, fill), before.forgotten, entries)

    async def note(self, life: int, forgotten: Revision, changed: dict[Name, Entry], dropped: Sequence[Name]) -> None:
        """Write what has come or gone, and whose deletion is forgotten; returns once durable. Raises JOURNAL_*."""
        rows = [_row(_BETWEEN.join(name), entry) for name, entry in changed.items()]
        if dropped:
            rows.append(_row(LIFE, _Life(life, forgotten)))
            rows += [KvWrite(PLACE, _BETWEEN.join(name), b"", 1) for name in dropped]
        for start in range(0, len(rows), WRITES_MAX):
            part = rows[start : start + WRITES_MAX]

            def fill(turn: Turn, part: list[KvWrite] = part) -> None:
                turn.batch.kv.extend(part)

            await write(self._loop, fill, size=1, size_bytes=sum(len(row.key) + len(row.value) for row in part))

    def _read(self) -> tuple[_Life, dict[Name, Entry]]:
        life, entries, after = _Life(0, NEVER), dict[Name, Entry](), ""
        while page := self._journal.kv_list(PLACE, after=after, limit=PAGE):
            after = page[-1].key
            for row in page:
                if row.key == LIFE:
                    life = msgspec.msgpack.decode(row.value, type=_Life)
                else:
                    namespace, workflow, name = row.key.split(_BETWEEN)
                    entries[namespace, workflow, name] = msgspec.msgpack.decode(row.value, type=Entry)
        return life, entries


def _row(key: str, value: msgspec.Struct) -> KvWrite:
    return KvWrite(PLACE, key, msgspec.msgpack.encode(value), 1)
