"""Which types of events each topic has seen: one small durable row a topic and type, in a namespace nobody can name."""

from __future__ import annotations

import asyncio

import msgspec

from hostd.journal.port import Journal, KvWrite
from hostd.model.topics import EventTypeView
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn

TYPES_MAX = 10_000  # a namespace; past it new ones are not noted
KEEP_MS = 30 * 86_400_000
AGAIN_MS = 3_600_000  # a type that goes on being seen is written at most this often
PAGE = 1_000
_BETWEEN = "\n"


class TopicTypes:
    """Notes types in the turn that publishes them."""

    def __init__(self, *, journal: Journal, readers: Readers) -> None:
        self._journal = journal
        self._readers = readers
        self._known: dict[str, dict[str, int]] = {}  # namespace: row's key: when it was written
        self._lock = asyncio.Lock()

    async def ready(self, namespace: str) -> None:
        """Know what was noted before; needed before `note`."""
        if namespace in self._known:
            return
        async with self._lock:
            if namespace in self._known:
                return
            known: dict[str, int] = {}
            after = ""
            while page := await self._page(namespace, "", after, PAGE):
                known.update((row.key, _last_ms(row)) for row in page)
                after = page[-1].key
            self._known[namespace] = known

    def note(self, turn: Turn, namespace: str, topic: str, event_type: str) -> None:
        """Note that a topic sees a type in this turn."""
        known = self._known[namespace]
        key = topic + _BETWEEN + event_type
        now_ms = turn.batch.at_ms
        before = known.get(key)
        if (before is not None and now_ms - before < AGAIN_MS) or (before is None and len(known) >= TYPES_MAX):
            return
        known[key] = now_ms
        turn.batch.kv.append(KvWrite(_place(namespace), key, str(now_ms).encode(), 1, now_ms + KEEP_MS))

        def failed() -> None:
            if before is None:
                known.pop(key, None)
            else:
                known[key] = before

        turn.when_failed.append(failed)

    async def seen(
        self, namespace: str, topic: str, *, after: tuple[str, str], limit: int, now_ms: int
    ) -> list[EventTypeView]:
        """Return types by topic and type past (topic, type) `after`; an empty topic is every one's."""
        prefix = topic + _BETWEEN if topic else ""
        place = _BETWEEN.join(after) if after[0] else ""
        found: list[EventTypeView] = []
        while len(found) < limit and (page := await self._page(namespace, prefix, place, PAGE)):
            place = page[-1].key
            for row in page:
                name, _, event_type = row.key.partition(_BETWEEN)
                if row.expires_at_ms > now_ms:
                    found.append(EventTypeView(name, event_type, _last_ms(row)))
        return found[:limit]

    async def _page(self, namespace: str, prefix: str, after: str, limit: int) -> list[KvWrite]:
        return await self._readers.call(
            lambda: self._journal.kv_list(_place(namespace), prefix=prefix, after=after, limit=limit)
        )


def _place(namespace: str) -> str:
    return f"{namespace}/event-types"


def _last_ms(row: KvWrite) -> int:
    return int(msgspec.json.decode(row.value))
