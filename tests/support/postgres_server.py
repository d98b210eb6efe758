"""A PostgreSQL of the tests' own: made in a folder, on a Unix socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_S = 60


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server; gives its connection string. Skips the test where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'hostd[postgres]'")
    tools = _tools()
    if tools is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user = _other_user()
    home = Path(tempfile.mkdtemp(prefix="hostd-pg-"))
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
    data = home / "data"
    try:
        _run([tools / "initdb", "-D", data, "-U", "hostd", "-A", "trust", "-E", "UTF8", "--no-sync"], user, home)
        settings = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off -c max_connections=30"
        _run(
            [tools / "pg_ctl", "-D", data, "-w", "-t", str(START_S), "-l", home / "log", "-o", settings, "start"],
            user,
            home,
        )
        try:
            yield f"host={home} user=hostd dbname=postgres"
        finally:
            _run([tools / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], user, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _tools() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _other_user() -> pwd.struct_passwd | None:
    """Return whom to run it as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")


def _run(command: list[object], user: pwd.struct_passwd | None, home: Path) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=START_S * 2,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
