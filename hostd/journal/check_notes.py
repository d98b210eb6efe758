"""Checking what is not a run's: durable keys, progress, and the running size of events. See check.py."""

from __future__ import annotations

from collections.abc import Iterator

from hostd.errors.base import HostdError
from hostd.journal import rows
from hostd.journal.pool import ReadPool
from hostd.journal.port import EVENT_FIXED_BYTES

PAGE_ROWS = 200
_KEYS = f"""SELECT number, namespace, key, value, version, expires_at_ms, crc FROM kv WHERE number > ?
    ORDER BY number LIMIT {PAGE_ROWS}"""
_PROGRESS = f"""SELECT run, step, crc, body FROM progress WHERE (run, step) > (?, ?)
    ORDER BY run, step LIMIT {PAGE_ROWS}"""
_EVENTS = f"""SELECT number, total, length(body) + {EVENT_FIXED_BYTES} FROM events WHERE number > ?
    ORDER BY number LIMIT {PAGE_ROWS}"""


def check_notes(pool: ReadPool) -> Iterator[str]:
    """Yield one line a fault. A file of an older schema has none of these yet."""
    with pool.connection() as connection:
        (current,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'kv'").fetchone()
    if current:
        yield from _keys(pool)
        for run, _step, fault in unfit_progress(pool):
            yield f"run key {run}: {fault}"
        yield from _events(pool)


def _keys(pool: ReadPool) -> Iterator[str]:
    number = 0
    while True:
        with pool.connection() as connection:
            page = connection.execute(_KEYS, (number,)).fetchall()
        if not page:
            return
        for number, *values in page:
            try:
                rows.key(tuple(values))
            except HostdError as error:
                yield f"durable key {number}: {error.message}"


def unfit_progress(pool: ReadPool) -> Iterator[tuple[int, int, str]]:
    """Yield (run, step, fault) of what a step reported and nobody can use. Nothing is lost: it reports again."""
    key = (-1, -1)
    while True:
        with pool.connection() as connection:
            page = connection.execute(_PROGRESS, key).fetchall()
        if not page:
            return
        for values in page:
            key = values[:2]
            if rows.progress(values) is None:
                yield *key, f"the progress of its step {key[1]} does not fit its checksum"


def _events(pool: ReadPool) -> Iterator[str]:
    number = 0
    before: int | None = None
    while True:
        with pool.connection() as connection:
            page = connection.execute(_EVENTS, (number,)).fetchall()
        if not page:
            return
        for number, total, size in page:
            if type(total) is not int or type(size) is not int:
                yield f"event {number}: it has no size, or no body"
                before = None
                continue
            if before is not None and total != before + size:
                yield f"event {number}: its size does not add up with the events before it"
            before = total
