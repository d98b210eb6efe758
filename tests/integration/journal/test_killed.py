"""Processes that die while they write: what they acknowledged is there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hostd.journal.sqlite import SqliteJournal
from hostd.journal.transactions import FATAL_EXIT_CODE

ROOT = Path(__file__).resolve().parents[3]
WRITER = ROOT / "tests/support/journal_writer.py"


def writer(path: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a process that writes a journal and tells what is durable."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(WRITER.parent)])}
    command = [sys.executable, str(WRITER), str(path), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)


def told(output: bytes) -> list[tuple[int, int]]:
    """Return (run, seq) of each line that came whole."""
    lines = output.split(b"\n")[:-1]
    return [(int(run), int(seq)) for run, _, seq in (line.partition(b" ") for line in lines)]


def killed_after(path: Path, lines: int) -> list[tuple[int, int]]:
    """Let a process write until it has told so many lines, kill it, and return all that it told."""
    process = writer(path)
    assert process.stdout is not None
    output = b"".join(process.stdout.readline() for _ in range(lines))
    process.send_signal(signal.SIGKILL)
    output += process.stdout.read()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return told(output)


def assert_all_there(path: Path, acknowledged: list[tuple[int, int]]) -> None:
    """Open the journal and find every acknowledged record, and no fault."""
    journal = SqliteJournal(path, randomness=random.Random())
    journal.open()
    try:
        for run, seq in acknowledged:
            rows = journal.history(run)
            assert seq in [row.seq for row in rows]
            assert [row.seq for row in rows] == list(range(0, 2 * len(rows), 2))
        assert list(journal.check()) == []
    finally:
        journal.close()


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, kills: int) -> None:
    """However often a writer is killed in mid-load, each batch it said is durable is there, whole and in order."""
    path = tmp_path / "journal.db"
    chance = random.Random(3)
    acknowledged: list[tuple[int, int]] = []
    for _ in range(kills):
        newly = killed_after(path, chance.randrange(1, 400))
        acknowledged += newly
        assert_all_there(path, newly if kills > 10 else acknowledged)
    assert_all_there(path, acknowledged)


def test_a_commit_that_nobody_can_judge_ends_the_process(tmp_path: Path) -> None:
    """Where writing fails in the middle of a commit the process ends at once, and what it acknowledged is there."""
    path = tmp_path / "journal.db"
    process = writer(path, str(900_000))
    output, _ = process.communicate(timeout=120)
    assert process.returncode == FATAL_EXIT_CODE
    assert_all_there(path, told(output))
