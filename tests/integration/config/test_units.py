"""The files of deploy/: what service managers read, and whether it fits what the daemon does."""

from __future__ import annotations

import configparser
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT

from hostd.config.given_sockets import HTTP_NAME
from hostd.config.rooms import Config

SYSTEMD = ROOT / "deploy/systemd"
PROGRAM = "/opt/hostd/bin/hostd"


def unit(name: str) -> configparser.ConfigParser:
    """Return a unit; of a setting that stands several times the last."""
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(SYSTEMD / name)
    return found


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    """systemd finds nothing to complain about, and little that the service could reach and need not."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    service = (SYSTEMD / "hostd.service").read_text().replace(PROGRAM, sys.executable).replace("=hostd\n", "=root\n")
    (tmp_path / "hostd.service").write_text(service)
    (tmp_path / "hostd.socket").write_text((SYSTEMD / "hostd.socket").read_text())
    command = [analyze, "verify", tmp_path / "hostd.service", tmp_path / "hostd.socket"]
    verified = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in verified.stderr.splitlines() if str(tmp_path) in line] == []
    command = [analyze, "security", "--offline=yes", "--threshold=35", SYSTEMD / "hostd.service"]
    examined = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert examined.returncode == 0, examined.stdout[-500:] + examined.stderr


def test_the_service_fits_the_daemon() -> None:
    """It speaks the daemon's protocol, waits as long as it drains, and reloads with a command that can fail."""
    service = unit("hostd.service")["Service"]

    assert service["Type"] == "notify"
    assert (service["ExecStart"], service["ExecReload"]) == (f"{PROGRAM} serve", f"{PROGRAM} config reload")
    assert float(service["TimeoutStopSec"]) > Config().limits.drain.total_seconds()
    assert {"user", "net", "mnt"} <= set(service["RestrictNamespaces"].split())
    assert "StateDirectory" in service


def test_the_socket_is_the_http_port() -> None:
    """At its default address, by the name that the daemon looks for."""
    port = unit("hostd.socket")["Socket"]

    assert (port["ListenStream"], port["FileDescriptorName"]) == (Config().http.listen, HTTP_NAME)


def test_the_plist_fits_the_daemon() -> None:
    """launchd starts the same command and waits as long."""
    found = plistlib.loads((ROOT / "deploy/launchd/hostd.plist").read_bytes())

    assert found["ProgramArguments"] == [PROGRAM, "serve"]
    assert found["ExitTimeOut"] > Config().limits.drain.total_seconds()
    assert (found["KeepAlive"], found["AbandonProcessGroup"], found["Umask"]) == (True, True, 0o077)
