"""The care of a data folder that no daemon serves. Like local.py it reaches into the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostd.errors.base import HostdError, Kind


def check_journal(path: str, *, repair: bool) -> Iterator[str]:
    """Yield a line for each fault of a journal; with repair, for each thing done and each fault left."""
    from hostd.journal.tools import check_file

    yield from check_file(path, repair)


def back_up_journal(path: Path, target: str) -> int:
    """Copy a journal that no daemon has open; return the size in bytes."""
    from hostd.journal.tools import backup_file

    return backup_file(path, target)


def restore_journal(copy: str, path: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Put a copy in the place of a journal that no daemon has open; return what was done.

    Raises JOURNAL_LOCKED where one does, JOURNAL_CORRUPT for a copy that is damaged, JOURNAL_*.
    """
    from hostd.aio import SystemClock
    from hostd.journal.restore import restore_file

    done = restore_file(copy, path, now_ms=SystemClock().wall_ms(), progress=progress)
    aside = str(done.aside) if done.aside is not None else ""
    return {"restored": copy, "path": str(done.path), "size_bytes": done.size_bytes, "aside": aside} | (
        {"earlier": done.earlier} if done.earlier else {}
    )


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
