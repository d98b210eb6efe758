"""Care for the journal, as its port has it: what is kept how long, copies, checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec


class Retention(msgspec.Struct, frozen=True, gc=False):
    """How long things are kept, in milliseconds, and how many; 0 = for ever, without bound."""

    runs_ms: int = 30 * 86_400_000
    events_ms: int = 7 * 86_400_000
    events_bytes: int = 1 << 30  # bodies and 200 bytes each; the oldest go first
    dedup_ms: int = 7 * 86_400_000
    dedup_per_trigger: int = 100_000
    request_ids_ms: int = 86_400_000
    dead_letters_ms: int = 30 * 86_400_000
    logs_ms: int = 7 * 86_400_000
    audit_ms: int = 365 * 86_400_000


class Room(msgspec.Struct, frozen=True, gc=False):
    """What a journal takes: of its file with the log, and how much inside it is free to be used again."""

    size_bytes: int
    free_bytes: int


class JournalCare(Protocol):
    """What an operator, or the daemon itself, does now and then. Blocks."""

    def prune(self, *, now_ms: int, retention: Retention, limit: int = 500) -> int:
        """Delete up to `limit` things past retention, in one short write on the writer; return how many went.

        Call again while it returns more than 0: one call deletes at most 50 runs. Blocks; not on the loop's thread.
        """
        ...

    def checkpoint(self) -> Room:
        """Bring the write-ahead log into the file and begin it anew; return what room is taken. Blocks."""
        ...

    def backup(self, path: str, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Write a consistent copy (on the writer, in steps between commits); return its size in bytes. Blocks."""
        ...

    def check(self) -> Iterator[str]:
        """Yield one line a fault: crc, sequence gaps, chain, index against records. Nothing means sound."""
        ...

    def repair(self) -> Iterator[str]:
        """Rebuild run index and labels from the records; yield one line a mend."""
        ...
