"""What `hostd doctor` looks at by itself, without a daemon: the machine, the data folder, ports, scripts, the journal.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from hostd.cli.moments import wall_ms
from hostd.errors.base import HostdError

if TYPE_CHECKING:
    from hostd.config.rooms import Config

Verdict: TypeAlias = Literal["ok", "remark", "fault"]
LITTLE_BYTES, NO_BYTES = 1 << 30, 100 << 20
CHECKED_BYTES_MAX = 256 << 20  # a larger journal takes longer than a doctor may
AHEAD_MS = 60_000
PYTHONS = (3, 11), (3, 13)


class Finding(NamedTuple):
    """What one check found. `fix` is empty where nothing is to be done."""

    check: str
    verdict: Verdict
    message: str
    fix: str = ""


def python() -> Finding:
    """Look at the Python that runs this."""
    version = sys.version_info[:2]
    text = f"Python {sys.version.split()[0]} at {sys.executable}"
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("python", "ok", text)
    return Finding("python", "remark", f"{text} is not one that is tested", "use Python 3.11, 3.12 or 3.13")


def configuration(data: str | None) -> tuple[Finding, Config | None]:
    """Read the configuration as `hostd serve` would."""
    from hostd.config.load import load_config

    try:
        config = load_config(flags={"data": data}, file=None).config
    except HostdError as error:
        return Finding("config", "fault", error.message, "`hostd config check` names every mistake"), None
    return Finding("config", "ok", "it can be read"), config


def data_folder(data: Path) -> Iterator[Finding]:
    """Look at the data folder, its rights, and the room there is."""
    if not data.exists():
        above = next(parent for parent in data.parents if parent.exists())
        able = os.access(above, os.W_OK)
        verdict: Verdict = "ok" if able else "fault"
        fix = "" if able else f"make {data} and give it to the user that runs the daemon"
        yield Finding("data", verdict, f"{data} is not there yet; the first start makes it", fix)
        return
    found = data.stat()
    if found.st_uid != os.geteuid():
        yield Finding("data", "fault", f"{data} belongs to user {found.st_uid}", "run hostd as its owner, or chown it")
    elif not os.access(data, os.W_OK | os.X_OK):
        yield Finding("data", "fault", f"{data} cannot be written", f"chmod u+rwx {data}")
    elif found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        yield Finding("data", "remark", f"{data} is open to others (mode {mode:o})", f"chmod 700 {data}")
    else:
        yield Finding("data", "ok", str(data))
    yield disk_space(shutil.disk_usage(data).free)


def disk_space(free_bytes: int) -> Finding:
    """Judge how much room is left."""
    text = f"{free_bytes >> 20} MiB are free"
    if free_bytes < NO_BYTES:
        return Finding("disk", "fault", text, "make room: a full disk stops every run until there is some")
    if free_bytes < LITTLE_BYTES:
        return Finding("disk", "remark", text, "make room, or keep less: `retention` in the configuration")
    return Finding("disk", "ok", text)


def token(data: Path) -> Finding:
    """Look at the owner's token."""
    path = data / "token"
    if not path.exists():
        return Finding("token", "ok", "there is none yet; the first start writes it")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("token", "fault", f"{path} can be read by others (mode {mode:o})",
                       f"chmod 600 {path}, then `hostd token rotate`")  # fmt: skip
    if not os.access(path, os.R_OK):
        return Finding("token", "fault", f"{path} cannot be read", "run this as the owner of the data folder")
    return Finding("token", "ok", f"{path}, mode {mode:o}")


def run_folder(data: Path) -> Finding:
    """Look at the folder of the socket."""
    run = data / "run"
    if not run.exists():
        return Finding("socket", "ok", "there is no socket yet; the first start makes its folder")
    mode = stat.S_IMODE(run.stat().st_mode)
    if mode & 0o077:
        return Finding("socket", "fault", f"{run} is open to others (mode {mode:o}): who opens the socket is trusted",
                       f"chmod 700 {run}")  # fmt: skip
    return Finding("socket", "ok", f"{run}, mode {mode:o}")


def ports(config: Config) -> Iterator[Finding]:
    """Say whether the ports are free that a daemon would listen on."""
    from hostd.config.types import parse_address

    for name, where in (("grpc", config.listen), ("http", config.http.listen)):
        if where == "off":
            yield Finding(f"port.{name}", "ok", "off")
        else:
            yield port(name, *parse_address(where))


def served(name: str, address: str) -> Finding:
    """Return what is said of a port that our own daemon has."""
    return Finding(f"port.{name}", "ok", f"{address}, served by this daemon" if address else "off")


def port(name: str, host: str, number: int) -> Finding:
    """Try to listen at an address."""
    where = f"{host}:{number}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        holder = port_holder(number)
        who = f" by {holder}" if holder else ""
        text = f"{where} is used{who}" if error.errno == 98 else f"{where}: {error.strerror or error}"
        option = "listen" if name == "grpc" else "http.listen"
        return Finding(f"port.{name}", "fault", text, f"stop it, or choose another with `{option}`")
    return Finding(f"port.{name}", "ok", f"{where} is free")


def port_holder(number: int) -> str:
    """Return which process listens at a port, as far as this user may see; empty where that cannot be said."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == number:
                inodes.add(f"socket:[{fields[9]}]")
    return next((_process(pid) for pid in _holders(inodes)), "") if inodes else ""


def _holders(inodes: set[str]) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is another user's, or gone
            if any(_target(link) in inodes for link in (process / "fd").iterdir()):
                yield process.name


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _process(pid: str) -> str:
    try:
        return f"process {pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return f"process {pid}"


def scripts(config: Config) -> Finding:
    """Start what runs scripts, and say what locks it in."""
    try:
        report = asyncio.run(_isolation())
    except (HostdError, OSError) as error:
        text = error.message if isinstance(error, HostdError) else str(error)
        return Finding("lua", "fault", f"scripts cannot run: {text}", "`hostd explain SCRIPTS_UNAVAILABLE`")
    level, missing = report["level"], report["missing"]
    if level == "full":
        return Finding("lua", "ok", "scripts are locked in by every measure")
    verdict: Verdict = "fault" if str(config.lua.isolation) == "required" else "remark"
    named = ", ".join(f"{name} ({why})" for name, why in sorted(missing.items()))
    return Finding("lua", verdict, f"scripts are locked in {level}ly: without {named}",
                   "allow user namespaces and seccomp, as docs/reference/lua.md says")  # fmt: skip


async def _isolation() -> dict[str, Any]:
    from hostd.lua.pool import PoolOptions
    from hostd.lua.script import LuaPool

    pool = LuaPool(PoolOptions(workers_max=1, spare=0, running_max=1))
    try:
        await pool.start()
        return pool.isolation_report()
    finally:
        await pool.close()


def journal(data: Path) -> Finding:
    """Check the journal, where it is not too large for that."""
    from hostd.journal.tools import check_file

    path = data / "journal.db"
    if not path.exists():
        return Finding("journal", "ok", "there is none yet; the first start makes it")
    ahead_ms = path.stat().st_mtime * 1000 - wall_ms()
    if ahead_ms > AHEAD_MS:
        return Finding("clock", "fault", f"the journal was written {ahead_ms / 1000:.0f} s from now",
                       "the clock went back: set it right (NTP)")  # fmt: skip
    size = path.stat().st_size
    if size > CHECKED_BYTES_MAX:
        return Finding("journal", "ok", f"{path}, {size >> 20} MiB; not checked: `hostd journal check` takes its time")
    try:
        faults = list(check_file(path, False))
    except HostdError as error:
        faults = [error.message]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return Finding("journal", "fault", f"{faults[0]}{more}", "`hostd journal check` names all")
    return Finding("journal", "ok", f"{path}, {size >> 20} MiB, sound")


def clock() -> Finding:
    """Ask the kernel whether something keeps the clock right."""
    import ctypes

    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        state = 0
    if state == 5:  # TIME_ERROR
        return Finding("clock", "remark", "nothing keeps the clock right", "run an NTP client; schedules need it")
    return Finding("clock", "ok", "kept right" if state == 0 else "it runs")
