"""The journal is moved away under a daemon, as by a restore that forgot to stop it: what it says, and the way out."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from processes import DaemonProcess, wait_until

pytestmark = pytest.mark.timeout(600)
WORK = "workflow: work\nsteps:\n  think: {uses: flow.pass, with: {output: 42}}\noutput: ${{ steps.think.output }}\n"


def ready(daemon: DaemonProcess) -> tuple[int, dict[str, object]]:
    """Return what GET /readyz answers."""
    try:
        with urllib.request.urlopen(f"http://{daemon.http}/readyz", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_journal_moved_away_is_told_everywhere_and_saved(tmp_path: Path) -> None:
    """Without a request in between; nothing is acknowledged meanwhile; a backup has all that was, and is restored."""
    daemon = DaemonProcess(tmp_path)
    waits = daemon.run("health", "--wait", "0.1s")
    assert waits.returncode == 9, waits
    daemon.spawn()
    try:
        assert daemon.ok("health", "--wait", "120s") == "SERVING\n"
        (tmp_path / "work.yaml").write_text(WORK)
        daemon.ok("workflow", "register", str(tmp_path / "work.yaml"))
        daemon.ok("journal", "backup", "old.db")
        daemon.ok("runs", "start", "work", "--key", "kept", "--wait", "--quiet")
        refused = daemon.run("journal", "restore", str(daemon.data / "backups/old.db"))
        assert (refused.returncode, refused.stdout) == (9, "")
        assert "error: JOURNAL_LOCKED" in refused.stderr and "stop it, or use another" in refused.stderr

        (tmp_path / "moved").mkdir()
        for file in daemon.data.glob("journal.db*"):
            file.rename(tmp_path / "moved" / file.name)
        shutil.copy(daemon.data / "backups/old.db", daemon.data / "journal.db")

        wait_until(lambda: daemon.run("health").returncode == 9, "health to say so")
        health = daemon.run("health", "-o", "json")
        assert json.loads(health.stdout) == {"state": "NOT_SERVING", "reason": "JOURNAL_REPLACED"}
        assert ready(daemon) == (503, {"state": "NOT_READY", "problems": {"journal": "JOURNAL_REPLACED"}})
        doctor = daemon.run("doctor")
        assert doctor.returncode == 6
        assert "JOURNAL_REPLACED" in doctor.stdout
        start = daemon.run("runs", "start", "work", "--wait")
        assert (start.returncode, start.stdout) == (9, "")
        assert "error: JOURNAL_REPLACED" in start.stderr
        assert "fix: Put it back; or save" in start.stderr

        daemon.ok("journal", "backup", "rescued.db")
        daemon.stop()
        done = daemon.json("journal", "restore", str(daemon.data / "backups/rescued.db"))
        assert Path(done["aside"], "journal.db").exists()
        daemon.start()
        assert daemon.json("runs", "show", "work/kept")["state"] == "SUCCEEDED"
    finally:
        daemon.close()


def test_it_serves_again_once_the_journal_is_back(tmp_path: Path) -> None:
    """By itself."""
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    try:
        (daemon.data / "journal.db").rename(tmp_path / "away.db")
        wait_until(lambda: ready(daemon)[0] == 503, "the daemon to say so")
        (tmp_path / "away.db").rename(daemon.data / "journal.db")
        assert daemon.ok("health", "--wait", "120s") == "SERVING\n"
        assert ready(daemon) == (200, {"state": "READY"})
    finally:
        daemon.close()
