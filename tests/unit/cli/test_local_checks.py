"""What the doctor looks at by itself."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from hostd.cli import local_checks
from hostd.cli.doctor import listing


def verdicts(found: Any) -> list[str]:
    """Return the verdicts of findings."""
    return [finding.verdict for finding in found]


def test_rights_of_the_data_folder(tmp_path: Path) -> None:
    """Others may not enter the folder, the socket's folder, or read the token; each fault has its fix."""
    data = tmp_path / "d"
    assert verdicts(local_checks.data_folder(data)) == ["ok"]
    data.mkdir()
    data.chmod(0o755)  # whatever the umask is
    (first, *_) = local_checks.data_folder(data)
    assert (first.verdict, first.fix) == ("remark", f"chmod 700 {data}")
    data.chmod(0o700)
    assert next(local_checks.data_folder(data)).verdict == "ok"

    assert local_checks.token(data).verdict == "ok"
    (data / "token").write_text("x" * 40)
    (data / "token").chmod(0o644)
    assert local_checks.token(data).verdict == "fault"
    (data / "run").mkdir()
    (data / "run").chmod(0o755)
    assert local_checks.run_folder(data).verdict == "fault"
    (data / "run").chmod(0o700)
    assert local_checks.run_folder(data).verdict == "ok"


def test_room_on_the_disk() -> None:
    """Plenty is fine, little is worth a word, nearly none is a fault."""
    assert [local_checks.disk_space(size << 20).verdict for size in (5000, 500, 50)] == ["ok", "remark", "fault"]


def test_a_port_that_is_used_names_who_uses_it() -> None:
    """This process, by its id; a free one is free."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        found = local_checks.port("grpc", "127.0.0.1", number)
    assert found.verdict == "fault"
    assert f"process {os.getpid()} " in found.message
    assert "`listen`" in found.fix
    assert local_checks.port("grpc", "127.0.0.1", 0).verdict == "ok"


def test_a_journal_from_the_future_tells_of_the_clock(tmp_path: Path) -> None:
    """A file that was written hours from now: the clock went back."""
    assert local_checks.journal(tmp_path).verdict == "ok"
    path = tmp_path / "journal.db"
    path.write_bytes(b"")
    later = path.stat().st_mtime + 7200
    os.utime(path, (later, later))
    found = local_checks.journal(tmp_path)
    assert (found.check, found.verdict) == ("clock", "fault")


def test_a_damaged_journal_is_found(tmp_path: Path) -> None:
    """A file that is no database is a fault, not a traceback."""
    (tmp_path / "journal.db").write_bytes(b"not a database" * 100)
    assert local_checks.journal(tmp_path).verdict == "fault"


def test_a_wrong_configuration_is_a_fault(tmp_path: Path) -> None:
    """The rest is looked at all the same."""
    (tmp_path / "hostd.yaml").write_text("listne: x\n")
    found, config = local_checks.configuration(str(tmp_path))
    assert (found.verdict, config) == ("fault", None)


def test_the_doctor_without_a_daemon(hostd: Any, tmp_path: Path) -> None:
    """Every check once; the exit code is 6 where one is a fault, and the fault has a fix."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "token").write_text("x" * 40)
    (tmp_path / "data" / "token").chmod(0o644)
    (tmp_path / "data" / "hostd.yaml").write_text('listen: "off"\nhttp: {listen: "off"}\n')
    done = hostd("doctor", "-o", "json")

    found = {item["check"]: item for item in map(json.loads, done.out.splitlines())}
    assert done.code == 6
    assert set(found) == {
        "python", "config", "daemon", "data", "disk", "socket", "token", "port.grpc", "port.http", "lua", "clock",
        "journal",
    }  # fmt: skip
    assert [item["check"] for item in found.values() if item["verdict"] == "fault"] == ["token"]
    assert "hostd token rotate" in found["token"]["fix"]
    assert found["daemon"]["verdict"] == "remark"


def test_a_fix_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands below its finding; on a narrow terminal long sentences are wrapped, elsewhere each is one line."""
    fix = "allow user namespaces and seccomp, as docs/reference/lua.md says"
    found = [
        {"check": "lua", "verdict": "remark", "message": "scripts are locked in partly", "fix": fix},
        {"check": "port.grpc", "verdict": "ok", "message": "off", "fix": ""},
    ]
    assert listing(found).splitlines() == [
        "lua        remark  scripts are locked in partly",
        f"{'':19}fix: {fix}",
        "port.grpc  ok      off",
    ]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    lines = listing(found).splitlines()
    assert max(map(len, lines)) <= 60
    assert fix in " ".join(" ".join(lines).split())
