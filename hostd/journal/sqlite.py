"""The SQLite journal: one file, one process, one writer. The rooms beside it hold the parts; this one joins them.

<name>.db        the journal, in WAL mode (-wal and -shm beside it while open)
<name>.lock      who has it open
<name>.last      what was last durable (sidecar.py)
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hostd.errors.base import HostdError
from hostd.journal.backup import copy_journal
from hostd.journal.chain import decode_head
from hostd.journal.check import check_journal
from hostd.journal.filesystem import check_file, prepare_folder, same_file
from hostd.journal.lock import JournalLock
from hostd.journal.logs import AttemptLogs
from hostd.journal.opening import WAL_PAGES, Opened, open_file
from hostd.journal.pool import ReadPool
from hostd.journal.port import Appended, Batch, Done, JournalInfo, NamespaceRow, Retention, Room
from hostd.journal.prune import Pruner
from hostd.journal.reads import RunReads
from hostd.journal.reads_events import EventReads
from hostd.journal.reads_rest import RestReads
from hostd.journal.repair import repair_journal
from hostd.journal.room import checkpoint, namespaces, vacuum
from hostd.journal.sidecar import LastSeen, Sidecar
from hostd.journal.transactions import OnFatal, Transactions, end_process
from hostd.journal.wal import grow_wal, read_wal
from hostd.journal.writer import Writer
from hostd.model.ids import text_id

_log = logging.getLogger("hostd.journal")
_FRAME_BYTES = 4096 + 24
PRUNE_SHARE = 5
"""Pruning takes at most one part in so many of the writer's time."""


class SqliteJournal(RunReads, EventReads, RestReads):
    """The port over one SQLite file.

    Args:
        path: the file, made when it is not there.
        accept_loss: open even where acknowledged batches are missing.
        on_fatal: called when a commit failed and nobody knows what is on disk; must not return in production.
        logs: whose files go with the runs that retention deletes.
        wal_pages: when the writer checkpoints, and how far the WAL is grown at start.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        randomness: random.Random,
        accept_loss: bool = False,
        on_fatal: OnFatal = end_process,
        logs: AttemptLogs | None = None,
        wal_pages: int = WAL_PAGES,
    ) -> None:
        self.path = Path(path).absolute()
        self.notices: tuple[str, ...] = ()
        self._randomness = randomness
        self._accept_loss = accept_loss
        self._on_fatal = on_fatal
        self._logs = logs
        self._wal_pages = wal_pages
        self._lock = JournalLock(self.path.with_suffix(".lock"))
        self._sidecar = Sidecar(self.path.with_suffix(".last"))
        self._pool = ReadPool(self.path)
        self._pruner = Pruner()
        self._prune_not_before_s = 0.0
        self._opened: Opened | None = None
        self._closed = False

    # -- life

    def open(self) -> JournalInfo:
        """Open, lock, migrate and verify; see the port."""
        prepare_folder(self.path.parent)
        self._lock.take()
        try:
            opened = self._open_file()
        except BaseException:
            self._lock.release()
            raise
        self.notices = opened.notices
        for notice in opened.notices:
            _log.warning("journal_notice text=%s", notice)
        return JournalInfo("sqlite", opened.journal_id, opened.mac_key, opened.schema_version, str(self.path))

    def _open_file(self) -> Opened:
        check_file(self.path)
        wal = self.path.with_name(self.path.name + "-wal")
        opened = open_file(
            self.path,
            frames=read_wal(wal),
            seen=self._sidecar.read(),
            accept_loss=self._accept_loss,
            randomness=self._randomness,
            wal_pages=self._wal_pages,
        )
        self._opened = opened
        self._journal_id = opened.journal_id
        self._transactions = Transactions(opened.connection, opened.counters, on_fatal=self._on_fatal)
        self._next_run = opened.counters.run
        try:
            self._warm(wal)
        except BaseException:
            opened.connection.close()
            raise
        check = self._pool.check = same_file(self.path)
        self._writer = Writer(self._transactions, note=self._note, check=check)
        self._writer.start()
        return opened

    def _warm(self, wal: Path) -> None:
        """Show that it can be written, grow the WAL, and learn how fast commits are."""
        error = self._transactions.probe()
        if error is not None and error.reason not in ("JOURNAL_FULL", "JOURNAL_BUSY"):
            raise error
        try:
            self._wal_bytes = grow_wal(wal, self._wal_pages * _FRAME_BYTES)
        except OSError as error:  # a full disk: it goes without
            _log.warning("journal_wal_not_grown error=%s", error)
            self._wal_bytes = 0
        for _ in range(3):
            started_s = time.perf_counter()
            self._transactions.probe()
            self._transactions.commit_s = time.perf_counter() - started_s
        self._note()

    def close(self) -> None:
        """Finish what was appended and let go of the files. May be called twice."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        self._writer.stop()
        self._note(clean=True)
        self._pool.close()
        opened.connection.close()
        self._sidecar.close()
        self._lock.release()

    def _note(self, *, clean: bool = False) -> None:
        """Write the sidecar: after the commit it names."""
        counters = self._transactions.counters
        seen = LastSeen(
            journal_id=self._journal_id,
            number=counters.batch,
            link=counters.link,
            next_pos=counters.pos,
            next_run=max(counters.run, self._next_run),
            wal_bytes=self._wal_bytes,
            clean=clean,
        )
        try:
            self._sidecar.write(seen)
        except OSError as error:
            _log.warning("journal_sidecar_failed error=%s", error)

    # -- writing

    def allocate_runs(self, count: int) -> int:
        """Return the first of `count` fresh run keys. On the loop's thread."""
        first = self._next_run
        self._next_run += count
        return first

    def append(self, batch: Batch, done: Done, *, alone: bool = False) -> Appended | None:
        """Write a batch; see the port."""
        return self._writer.append(batch, done, alone=alone)

    @property
    def refusing(self) -> HostdError | None:
        """Why nothing can be written just now; see the port."""
        return self._writer.refusing if self._opened is not None else None

    def look(self) -> None:
        """Find out whether the file was moved away; see the port."""
        if self._opened is not None:
            self._writer.look()

    def append_outcome(self, append_id: int) -> Appended | None:
        """Return the durable batch of that append id."""
        sql = "SELECT batch, pos, at_ms FROM records WHERE append_id = ? AND append_id IS NOT NULL"
        with self._pool.connection() as connection:
            found = connection.execute(sql, (append_id,)).fetchone()
        return Appended(decode_head(found[0]).number, found[1], found[2]) if found else None

    # -- care

    def prune(self, *, now_ms: int, retention: Retention, limit: int = 500) -> int:
        """Delete up to `limit` things past retention; call again while it returns more than 0. Blocks."""
        time.sleep(max(0.0, self._prune_not_before_s - time.monotonic()))
        gone, took_s = self._writer.call(lambda: self._prune(now_ms, retention, limit))
        self._prune_not_before_s = time.monotonic() + took_s * (PRUNE_SHARE - 1)
        if self._logs is not None:
            for run_id in self._pruner.deleted:
                self._logs.delete(text_id(run_id))
        return gone

    def _prune(self, now_ms: int, retention: Retention, limit: int) -> tuple[int, float]:
        started_s = time.perf_counter()
        prune = self._pruner.prune
        gone = self._transactions.run(
            lambda cursor, counters: prune(cursor, counters, now_ms=now_ms, retention=retention, limit=limit)
        )
        return gone, time.perf_counter() - started_s

    def checkpoint(self) -> Room:
        """Begin the log anew; see the port."""
        return self._writer.call(lambda: checkpoint(self._transactions.connection, self.path))

    def vacuum(self) -> Room:
        """Write the file anew without free room: only where nobody else has it open. Blocks for as long as it takes."""
        return self._writer.call(lambda: vacuum(self._transactions.connection, self.path))

    def namespaces(self) -> list[NamespaceRow]:
        """Return what each namespace holds."""
        with self._pool.connection() as connection:
            return namespaces(connection)

    def backup(self, path: str, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Write a consistent copy; see the port and backup.py."""
        return self._writer.call(
            lambda: copy_journal(
                self._transactions.connection,
                Path(path).absolute(),
                between=self._writer.serve_waiting,
                progress=progress,
                randomness=self._randomness,
            )
        )

    def check(self) -> Iterator[str]:
        """Yield one line a fault, reading in short pages beside the writer."""
        return check_journal(self._pool)

    def repair(self) -> Iterator[str]:
        """Rebuild run index and labels from the records, a run at a time between commits; yield one line a mend."""
        return repair_journal(self._pool, lambda work: self._writer.call(lambda: self._transactions.run(work)))
