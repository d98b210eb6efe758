"""Durable values by key. One owner, the engine loop: every change is decided in its turn and rides in its append.

    read -> hot cell (durable value)          change -> hot cell (newest value) -> turn -> durable -> answer

- A cell is decided about in memory only. It is read from the journal before the change enters the doors' lane, and
  stays hot while a change of it waits or flushes: what the journal says can't be older than what was decided.
- Nothing speculative leaves: reads see the durable value, changes are decided upon the newest.
- Time is the turn's: a value has expired when the turn that looks at it is not before `expires_at`.
- A key's version never falls, so one that was read is never met again on another value: a key that was deleted or has
  expired goes on above every version that a key of the journal had when it went (one number, `kv_floor`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from hostd.aio import Clock, spawn
from hostd.errors.base import invalid
from hostd.journal.port import Appended, Journal, KvWrite
from hostd.model.redaction import redact_bytes
from hostd.plugin import KvEntry
from hostd.plugin.clocks import at_ms
from hostd.plugin.service_rules import KV_LIST_MAX, check_key, check_listed, conflict, kv_text, sum_of
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.ring.writing import write
from hostd.values.json_text import INT_MAX, INT_MIN, JsonValue, parse_json

HOT_CELLS_MAX = 10_000
HOT_BYTES_MAX = 16 * 1024 * 1024
CELL_BYTES = 300  # what a cell costs beside key and value, about
PAGE_ENTRIES = 64  # of 64 KiB each at most
TTL_MAX = timedelta(days=36_600)


class Cell:
    """A key in memory. `durable` is what readers see, `newest` what changes are decided upon; None = not set."""

    __slots__ = ("durable", "newest", "pins", "size_bytes")

    def __init__(self, found: KvWrite | None, size_bytes: int) -> None:
        self.durable = found
        self.newest = found
        self.pins = 0  # changes that wait or flush
        self.size_bytes = size_bytes


Decide = Callable[[KvWrite | None, int, int], KvWrite | None]
"""From the live value, the version after it and the time in milliseconds to the new value; None changes nothing.

May raise HostdError.
"""


class KeyValues:
    """Every namespace's values by key."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers, clock: Clock) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._cells: OrderedDict[tuple[str, str], Cell] = OrderedDict()
        self._bytes = 0
        self._floor = 0  # no key that is gone had a higher version, as far as this process has seen
        self._loading: dict[tuple[str, str], asyncio.Future[Cell]] = {}

    async def get(self, namespace: str, key: str) -> KvEntry | None:
        """Return an entry, None when there is none or it has expired. Raises HostdError KV_KEY_INVALID."""
        cell = await self._hot((namespace, check_key(key)))
        found = _live(cell.durable, self._clock.wall_ms())
        return None if found is None else _entry(found)

    async def put(
        self,
        namespace: str,
        key: str,
        value: JsonValue,
        *,
        ttl: timedelta | None,
        expected_version: int | None,
        hidden: tuple[str, ...] = (),
    ) -> KvEntry:
        """Set a value. Raises HostdError KV_CONFLICT, KV_KEY_INVALID, PAYLOAD_TOO_LARGE.

        Args:
            hidden: secrets that must not get into the journal; where the value shows one it is taken out.
        """
        text, ttl_ms = kv_text(value), _ttl_ms(ttl)
        if hidden:
            text = redact_bytes(text, hidden)

        def decide(before: KvWrite | None, version: int, now_ms: int) -> KvWrite:
            _expect(key, before, expected_version)
            return KvWrite(namespace, key, text, version, now_ms + ttl_ms if ttl_ms else 0)

        _, after = await self._change(namespace, key, decide, len(text))
        return _entry(after)

    async def add(self, namespace: str, key: str, amount: int, *, ttl: timedelta | None) -> KvEntry:
        """Add to a whole number; without `ttl` the sum keeps the time it had. Raises HostdError KV_NOT_A_NUMBER."""
        ttl_ms = _ttl_ms(ttl)
        if type(amount) is not int or not INT_MIN <= amount <= INT_MAX:
            raise invalid("NUMBER_OUT_OF_RANGE", "what is added is a whole number of 64 bits")

        def decide(before: KvWrite | None, version: int, now_ms: int) -> KvWrite:
            total = sum_of(key, 0 if before is None else parse_json(before.value), amount)
            expires_at_ms = now_ms + ttl_ms if ttl_ms else 0 if before is None else before.expires_at_ms
            return KvWrite(namespace, key, str(total).encode(), version, expires_at_ms)

        _, after = await self._change(namespace, key, decide, 20)
        return _entry(after)

    async def delete(self, namespace: str, key: str, *, expected_version: int | None) -> bool:
        """Forget a key; return whether there was one. Raises HostdError KV_CONFLICT."""

        def decide(before: KvWrite | None, version: int, now_ms: int) -> KvWrite | None:
            _expect(key, before, expected_version)
            return KvWrite(namespace, key, b"", before.version) if before is not None else None

        before, _ = await self._change(namespace, key, decide, 0)
        return before is not None

    async def list(self, namespace: str, prefix: str, *, after: str, limit: int) -> list[KvEntry]:
        """Return entries by key, read from the journal: those that are durable now.

        Raises:
            HostdError: KV_KEY_INVALID; PAYLOAD_TOO_LARGE where they hold more than 16 MiB together.
        """
        for text in (prefix, after):
            _check_part(text)
        most = max(0, min(limit, KV_LIST_MAX))
        found: list[KvEntry] = []
        size_bytes = 0
        now_ms = self._clock.wall_ms()
        while len(found) < most:
            page = await self._readers.call(
                lambda: self._journal.kv_list(namespace, prefix=prefix, after=after, limit=PAGE_ENTRIES)  # noqa: B023
            )
            live = [one for one in page if _live(one, now_ms) is not None][: most - len(found)]
            size_bytes += sum(len(one.value) for one in live)
            check_listed(size_bytes)
            found += map(_entry, live)
            if len(page) < PAGE_ENTRIES:
                break
            after = page[-1].key
        return found

    # -- changes

    async def _change(
        self, namespace: str, key: str, decide: Decide, size_bytes: int
    ) -> tuple[KvWrite | None, KvWrite]:
        """Decide about a cell in a turn; return what it held before and what it holds once that is durable."""
        name = (namespace, check_key(key))
        cell = await self._hot(name)
        while self._cells.get(name) is not cell:  # gone cold before this task had its turn
            cell = await self._hot(name)
        cell.pins += 1
        try:
            size_bytes += len(key) + CELL_BYTES

            def fill(turn: Turn) -> tuple[KvWrite | None, KvWrite]:
                before = _live(cell.newest, turn.batch.at_ms)
                after = decide(before, self._version_after(cell, before), turn.batch.at_ms)
                if after is None:
                    return before, KvWrite(namespace, key, b"", 0)
                self._take(turn, cell, after)
                return before, after

            return await write(self._loop, fill, size_bytes=size_bytes)
        finally:
            cell.pins -= 1
            self._resize(name, cell)

    def _version_after(self, cell: Cell, live: KvWrite | None) -> int:
        """Return the version of the next value: above what the key has, or had when it went."""
        if live is not None:
            return live.version + 1
        expired = 0 if cell.newest is None else cell.newest.version
        return max(self._floor, expired) + 1

    def _take(self, turn: Turn, cell: Cell, after: KvWrite) -> None:
        """Make a change part of the turn; what follows in the turn is decided upon it."""
        turn.batch.kv.append(after)
        cell.newest = after if after.value else None
        if not after.value:
            self._floor = max(self._floor, after.version)
        cell.pins += 1

        def durable(_: Appended) -> None:
            cell.durable = after if after.value else None
            cell.pins -= 1

        def failed() -> None:
            cell.newest = cell.durable
            cell.pins -= 1

        turn.when_durable.append(durable)
        turn.when_failed.append(failed)

    # -- hot cells

    async def _hot(self, name: tuple[str, str]) -> Cell:
        cell = self._cells.get(name)
        if cell is not None:
            self._cells.move_to_end(name)
            return cell
        loading = self._loading.get(name)
        if loading is None:
            loading = self._loading[name] = spawn(self._load(name), name="kv-load")
        return await asyncio.shield(loading)

    async def _load(self, name: tuple[str, str]) -> Cell:
        """Read a cell from the journal. No change of it can be under way: changes need the cell to be hot."""
        try:
            found, floor = await self._readers.call(self._read, name)
        finally:
            del self._loading[name]
        self._floor = max(self._floor, floor)
        cell = self._cells[name] = Cell(found, 0)
        self._resize(name, cell)
        return cell

    def _read(self, name: tuple[str, str]) -> tuple[KvWrite | None, int]:
        """Return a key and the floor, read in this order: pruning that takes the key in between raises the floor."""
        namespace, key = name
        return self._journal.kv(namespace, [key]).get(key), self._journal.kv_floor()

    def _resize(self, name: tuple[str, str], cell: Cell) -> None:
        """Count a cell anew, and let the coldest go while all of them are too many."""
        if self._cells.get(name) is not cell:
            return
        value = cell.newest.value if cell.newest is not None else b""
        size_bytes = CELL_BYTES + len(name[1]) + len(value)
        self._bytes += size_bytes - cell.size_bytes
        cell.size_bytes = size_bytes
        for _ in range(len(self._cells)):
            if len(self._cells) <= HOT_CELLS_MAX and self._bytes <= HOT_BYTES_MAX:
                return
            coldest, old = self._cells.popitem(last=False)
            if old.pins or old is cell:
                self._cells[coldest] = old
            else:
                self._bytes -= old.size_bytes


def _live(found: KvWrite | None, now_ms: int) -> KvWrite | None:
    if found is None or (found.expires_at_ms and found.expires_at_ms <= now_ms):
        return None
    return found


def _expect(key: str, before: KvWrite | None, expected: int | None) -> None:
    """Refuse a change of another version than the expected one. Raises HostdError KV_CONFLICT."""
    version = 0 if before is None else before.version
    if expected is not None and expected != version:
        raise conflict(key, expected, version)


def _ttl_ms(ttl: timedelta | None) -> int:
    """Return a time to live in milliseconds, 0 = for ever. Raises HostdError ARGUMENT_INVALID."""
    if ttl is None:
        return 0
    if not timedelta(0) < ttl <= TTL_MAX:
        raise invalid("ARGUMENT_INVALID", f"`ttl` is more than nothing and at most {TTL_MAX.days} days")
    return max(1, round(ttl / timedelta(milliseconds=1)))


def _check_part(text: str) -> None:
    """Refuse a prefix or place that no key can begin with or come after."""
    if text:
        check_key(text)


def _entry(found: KvWrite) -> KvEntry:
    expires_at = at_ms(found.expires_at_ms) if found.expires_at_ms else None
    return KvEntry(found.key, parse_json(found.value), found.version, expires_at)
