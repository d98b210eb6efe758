"""A journal as a killed process leaves it, to be damaged."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from journals import append, open_journal, whole_run

from hostd.journal.port import Batch, Blob
from hostd.model.payload import blob_digest


@pytest.fixture
async def crashed(tmp_path: Path) -> AsyncIterator[Path]:
    """Yield the file of a journal that was copied while it was open: 12 runs, some of them in the WAL only."""
    journal = open_journal(tmp_path / "live" / "journal.db")
    for number in range(12):
        run = await whole_run(journal, steps=3, labels={"n": str(number)})
        data = b"%d" % number * 3_000
        await append(journal, Batch(at_ms=1, blobs=[Blob("default", blob_digest(data), data, run)]))
    (tmp_path / "crashed").mkdir()
    for file in (tmp_path / "live").iterdir():
        shutil.copy(file, tmp_path / "crashed" / file.name)
    journal.close()
    return tmp_path / "crashed" / "journal.db"
