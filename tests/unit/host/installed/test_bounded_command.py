"""Commands that take long: bounded in time and output, and gone with the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import wait_until

from hostd.host.installed import leash
from hostd.host.installed.bounded_command import Ended, installer_environment, run_bounded
from hostd.host.installed.environment import SHOWN_CHARS, last_lines

LEASH = Path(leash.__file__)


async def test_how_it_went_and_what_it_said_last(tmp_path: Path) -> None:
    """The exit code, and the end of what it printed, however much that is."""
    code = "import sys; print('x' * 10_000_000); print('almost', file=sys.stderr); print('last'); sys.exit(3)"
    ended = await run_bounded([sys.executable, "-c", code], folder=tmp_path, seconds=60)
    assert (ended.code, ended.lines[-1]) == (3, "last")
    assert sum(map(len, ended.lines)) < 20_000


async def test_time_is_up(tmp_path: Path) -> None:
    """It is gone, with what it had started."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', %r])"
    with pytest.raises(TimeoutError):
        await run_bounded([sys.executable, "-c", code % str(tmp_path)], folder=tmp_path, seconds=0.5)
    await asyncio.to_thread(wait_until, lambda: not named(tmp_path), "their end")


def test_it_does_not_outlive_who_started_it(tmp_path: Path) -> None:
    """The end of its standard input is the daemon's."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(LEASH), *sleeps], stdin=subprocess.PIPE, start_new_session=True
    ) as started:
        wait_until(lambda: len(named(tmp_path)) == 2, "both")
        assert started.stdin is not None
        started.stdin.close()
        assert started.wait(timeout=60) == -signal.SIGKILL
    wait_until(lambda: not named(tmp_path), "their end")


def named(mark: Path) -> list[str]:
    """Return the processes that have a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and int(entry.name) != os.getpid()
                and str(mark).encode() in (entry / "cmdline").read_bytes()
            ):
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_pip_sees_what_leads_to_its_index_and_nothing_else() -> None:
    """No secret of the daemon's environment, and nothing that has it install elsewhere."""
    given = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "x",
        "PIP_TARGET": "/x",
        "HTTPS_PROXY": "p",
        "AWS_SECRET": "s",
        "PYTHONPATH": "/",
    }
    assert installer_environment(given) == {"PATH": "/bin", "PIP_INDEX_URL": "x", "HTTPS_PROXY": "p"}


def test_the_last_lines_are_told() -> None:
    """As many as a message has room for, without what pip advises."""
    lines = ("Looking", "  ERROR: No matching distribution", "note: see above")
    assert last_lines(Ended(1, lines)) == "Looking; ERROR: No matching distribution"
    assert last_lines(Ended(1, ("a", "b"))) == "a; b"
    assert len(last_lines(Ended(1, ("x" * 100,) * 50))) <= SHOWN_CHARS
    assert last_lines(Ended(1, ())) == "it said nothing"
