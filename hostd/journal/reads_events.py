"""Reading SQLite: events by number or topic, dead letters, the audit. Pages by number; see pool.py."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from hostd.journal import rows
from hostd.journal.pool import ReadPool
from hostd.journal.port import AuditRow, DeadLetter, EventRow
from hostd.journal.topics import covers, split_topics, until_full

SLICE = 50_000
_COLUMNS = "number, at_ms, namespace, workflow, trigger, event_id, body, outcome, run_ids, topic, type"
_ALL = f"SELECT {_COLUMNS} FROM events WHERE namespace = ? AND number > ? ORDER BY number LIMIT ?"
_ONE = f"SELECT {_COLUMNS} FROM events WHERE number = ?"
_OF_TOPIC = """SELECT number FROM events INDEXED BY events_topic WHERE topic <> '' AND namespace = ? AND topic = ?
    AND number > ? ORDER BY number LIMIT ?"""
_PUBLISHED = """SELECT number, topic FROM events INDEXED BY events_published WHERE topic <> '' AND namespace = ?
    AND number > ? ORDER BY number LIMIT ?"""
_BEHIND = """SELECT count(*) FROM (SELECT 1 FROM events INDEXED BY events_topic WHERE topic <> '' AND namespace = ?
    AND topic = ? AND number > ? LIMIT ?)"""
_LETTER = "SELECT number, at_ms, namespace, workflow, trigger, event_id, body, reason, message FROM dead_letters"
_AUDIT = """SELECT number, at_ms, namespace, principal, verb, resource, details FROM audit
    WHERE namespace = ? AND number > ? ORDER BY number LIMIT ?"""

Page = list[tuple[int, int, EventRow]]


class EventReads:
    """The part of the port that reads what has numbers that rise with time."""

    _pool: ReadPool

    def events(
        self, namespace: str, *, after: int = 0, limit: int = 100, topics: Sequence[str] = (), size_bytes: int = 0
    ) -> Page:
        if topics:
            numbers = heapq.merge(*self._numbers(namespace, topics, after=after, limit=limit))
            return until_full(self._events_of(numbers, limit), size_bytes)
        with self._pool.connection() as connection:
            page = connection.execute(_ALL, (namespace, after, limit)).fetchall()
        return until_full((rows.event(found) for found in page), size_bytes)

    def _numbers(self, namespace: str, topics: Sequence[str], *, after: int, limit: int) -> list[list[int]]:
        """Return lists of rising numbers, each with at least the first `limit` of its topics."""
        exact, prefixes = split_topics(topics)
        lists = [list(self._under(namespace, prefixes, after=after, limit=limit))] if prefixes else []
        with self._pool.connection() as connection:
            for topic in exact:
                found = connection.execute(_OF_TOPIC, (namespace, topic, after, limit))
                lists.append([number for (number,) in found])
        return lists

    def _under(self, namespace: str, prefixes: tuple[str, ...], *, after: int, limit: int) -> Iterator[int]:
        """Yield up to `limit` numbers of events under prefixes, looking at `SLICE` index entries a statement."""
        count = 0
        while count < limit:
            with self._pool.connection() as connection:
                page = connection.execute(_PUBLISHED, (namespace, after, SLICE)).fetchall()
            for number, topic in page:
                after = number
                if covers(prefixes, topic) and count < limit:
                    count += 1
                    yield number
            if len(page) < SLICE:
                return

    def _events_of(self, numbers: Iterator[int], limit: int) -> Iterator[tuple[int, int, EventRow]]:
        last = count = 0
        with self._pool.connection() as connection:
            for number in numbers:
                if count >= limit:
                    return
                values = connection.execute(_ONE, (number,)).fetchone() if number != last else None
                last = number
                if values is not None:  # retention may have been quicker
                    count += 1
                    yield rows.event(values)

    def last_event(self) -> int:
        with self._pool.connection() as connection:
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(found[0]) if found else 0

    def events_behind(self, namespace: str, topics: Sequence[str], *, after: int, most: int) -> int:
        exact, prefixes = split_topics(topics)
        with self._pool.connection() as connection:
            counts = [connection.execute(_BEHIND, (namespace, topic, after, most)).fetchone()[0] for topic in exact]
            page = connection.execute(_PUBLISHED, (namespace, after, most)).fetchall() if prefixes else []
        under = sum(covers(prefixes, topic) for _, topic in page)
        return int(sum(counts)) + under

    def dead_letter_counts(self) -> dict[str, int]:
        with self._pool.connection() as connection:
            return dict(connection.execute("SELECT namespace, count(*) FROM dead_letters GROUP BY namespace"))

    def dead_letters(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, DeadLetter]]:
        sql = f"{_LETTER} WHERE namespace = ? AND number > ? ORDER BY number LIMIT ?"
        with self._pool.connection() as connection:
            page = connection.execute(sql, (namespace, after, limit)).fetchall()
        return [rows.dead_letter(found) for found in page]

    def dead_letter(self, namespace: str, number: int) -> tuple[int, DeadLetter] | None:
        with self._pool.connection() as connection:
            found = connection.execute(f"{_LETTER} WHERE number = ? AND namespace = ?", (number, namespace)).fetchone()
        return rows.dead_letter(found)[1:] if found else None

    def audit(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, AuditRow]]:
        with self._pool.connection() as connection:
            page = connection.execute(_AUDIT, (namespace, after, limit)).fetchall()
        return [(values[0], values[1], AuditRow(*values[2:])) for values in page]
