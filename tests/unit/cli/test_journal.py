"""Journals without a daemon."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from hostd.journal.sqlite import SqliteJournal


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder with a journal nobody has open."""
    journal = SqliteJournal(tmp_path / "journal.db", randomness=random.Random(1))
    journal.open()
    journal.close()
    return tmp_path


def test_a_sound_journal(hostd: Any, data: Path) -> None:
    """By its data folder or by its name; as JSON nothing is listed."""
    assert hostd("journal", "check", "--data", str(data)) == (0, f"{data}/journal.db: sound\n", "")
    assert hostd("journal", "check", f"{data}/journal.db", "-o", "json") == (0, "", "")
    assert hostd("journal", "check", "--data", str(data), "--repair").code == 0


def test_a_damaged_journal_lists_its_faults(hostd: Any, data: Path) -> None:
    """Exit code 11."""
    file = data / "journal.db"
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 8] = b"\xff" * 8
    file.write_bytes(content)

    done = hostd("journal", "check", str(file), "-o", "json")

    assert done.code == 11
    assert all(json.loads(line)["file"] == str(file) for line in done.out.splitlines())
    assert done.out


def test_a_journal_that_is_not_there(hostd: Any, tmp_path: Path) -> None:
    """MISSING, with the path."""
    done = hostd("journal", "check", "--data", str(tmp_path))

    assert (done.code, done.out) == (4, "")
    assert str(tmp_path / "journal.db") in done.err


def test_a_backup_without_daemon(hostd: Any, data: Path) -> None:
    """The copy is sound; an existing file is not overwritten."""
    target = data / "copy.db"
    done = hostd("journal", "backup", str(target), "--offline", "--data", str(data), "-o", "json")

    assert done.code == 0
    assert json.loads(done.out) == {"path": str(target), "size_bytes": target.stat().st_size}
    assert hostd("journal", "check", str(target)).code == 0
    assert hostd("journal", "backup", str(target), "--offline", "--data", str(data)).code != 0
