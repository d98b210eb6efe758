"""What every part stands on: the configuration, time and chance, the journal and who reads it, what is counted."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from hostd.aio import Clock, SystemClock
from hostd.config.rooms import Config
from hostd.journal.logs import AttemptLogs
from hostd.journal.port import Journal, JournalInfo
from hostd.journal.sqlite import SqliteJournal
from hostd.runtime.attempts.log_writer import LogWriter, NoLogFiles
from hostd.runtime.ring.readers import Readers
from hostd.runtime.runs.watch import Hub
from hostd.telemetry.meter import Meter


class Foundation:
    """Built first, closed last. `config` is replaced by a reload: it is asked for, not kept."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None,
        dice: random.Random | None,
        data: Path | None,
        journal: Journal | None,
    ) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.random = dice or random.SystemRandom()
        self.data = data
        self.log_files = AttemptLogs(data / "logs") if data is not None else None
        self.log_writer = LogWriter(self.log_files or NoLogFiles())
        self.journal = journal or self._journal()
        self.readers = Readers(2 if isinstance(self.journal, SqliteJournal) else 0)
        self.meter = Meter()
        self.hub = Hub()
        self.info: JournalInfo | None = None  # once the journal is open
        self._event_loop: asyncio.AbstractEventLoop

    def _journal(self) -> Journal:
        journal = self.config.journal
        if self.data is None or journal.store == "memory":
            from hostd.journal.memory import MemoryJournal  # no daemon that keeps anything has a use for it

            return MemoryJournal(randomness=self.random)
        return SqliteJournal(
            self.data / "journal.db",
            randomness=self.random,
            accept_loss=journal.accept_loss,
            logs=self.log_files,
        )

    def event_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop that everything runs on, once it is opened: for who is called in another thread."""
        return self._event_loop

    async def open(self) -> JournalInfo:
        """Open the journal. Raises HostdError JOURNAL_*."""
        self._event_loop = asyncio.get_running_loop()
        self.info = await asyncio.to_thread(self.journal.open)
        return self.info

    async def close(self) -> None:
        """Write what attempts logged, and let the journal go."""
        await asyncio.to_thread(self.log_writer.close)
        await asyncio.to_thread(self.readers.close)
        await asyncio.to_thread(self.journal.close)
