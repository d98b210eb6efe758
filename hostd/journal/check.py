"""Checking a journal."""

from __future__ import annotations

from collections.abc import Iterator

from hostd.journal.pool import ReadPool


def check_journal(pool: ReadPool) -> Iterator[str]:
    """Yield."""
    return iter(())
