"""The care of a data folder that no daemon serves. Like local.py it reaches into the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hostd.errors.base import HostdError, Kind


def check_journal(path: str, *, repair: bool) -> Iterator[str]:
    """Yield a line for each fault of a journal; with repair, for each thing done and each fault left."""
    from hostd.journal.tools import check_file

    yield from check_file(path, repair)


def back_up_journal(path: Path, target: str) -> int:
    """Copy a journal that no daemon has open; return the size in bytes."""
    from hostd.journal.tools import backup_file

    return backup_file(path, target)


def compact_journal(data: Path, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Compact the journal of a data folder that no daemon serves; return what came of it.

    Raises JOURNAL_LOCKED where one does, JOURNAL_FULL, CONFIG_INVALID.
    """
    from hostd.aio import SystemClock
    from hostd.config.load import load_config
    from hostd.journal.tools import compact_file
    from hostd.runtime.room_options import retention_of

    retention = retention_of(load_config(flags={"data": str(data)}, file=None).config)
    now_ms = SystemClock().wall_ms()
    return compact_file(data / "journal.db", retention=retention, now_ms=now_ms, progress=progress)._asdict()


def new_token(data: Path) -> str:
    """Put a new token into a data folder that no daemon serves; return its file. Raises JOURNAL_LOCKED."""
    from hostd.api.auth import new_owner_token
    from hostd.journal.lock import JournalLock

    lock = JournalLock(data / "journal.lock")
    try:
        lock.take(make=False)
        new_owner_token(data / "token")
    except OSError as error:
        message = f"{data / 'token'} cannot be written: {error.strerror}"
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message) from None
    finally:
        lock.release()
    return str(data / "token")
