"""A journal whose appends stay under way until a test lets them go."""

from __future__ import annotations

from typing import Any

from lab import Lab

from hostd.errors.base import HostdError, Kind


class SlowJournal:
    """Appends that stay under way until they are let go."""

    def __init__(self, lab: Lab) -> None:
        self._journal = lab.core.journal
        self._append = self._journal.append
        self.held: list[tuple[Any, Any]] = []
        self._journal.append = self.hold  # type: ignore[method-assign]

    def hold(self, batch: Any, done: Any, *, alone: bool = False) -> None:
        """Hold an append."""
        self.held.append((batch, done))

    def let_go(self) -> None:
        """Do what was held, and hold nothing any more."""
        self._journal.append = self._append  # type: ignore[method-assign]
        for batch, done in self.held:
            appended = self._append(batch, done)
            if appended is not None:
                done(appended, None)

    def fail(self) -> None:
        """Have what was held fail, and hold nothing any more."""
        self._journal.append = self._append  # type: ignore[method-assign]
        for _, done in self.held:
            done(None, HostdError(Kind.UNAVAILABLE, "JOURNAL_FULL", "full", retry_after_s=1.0))
