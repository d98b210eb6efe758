"""Commands that take long (making environments, pip): with a bound on their time, and the end of what they print."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TAIL_BYTES = 16 * 1024
READ_BYTES = 64 * 1024
LINE_CHARS_MAX = 300
_LEASH = Path(__file__).with_name("leash.py")
_PASSED_ON = frozenset(
    "HOME LANG LC_ALL PATH SSL_CERT_DIR SSL_CERT_FILE REQUESTS_CA_BUNDLE TMPDIR TZ NETRC XDG_CACHE_HOME XDG_CONFIG_HOME".split()  # noqa: SIM905, E501
    + [name for proxy in ("http_proxy", "https_proxy", "no_proxy", "all_proxy") for name in (proxy, proxy.upper())]
)
_ELSEWHERE = frozenset(  # would have pip install somewhere else, or not at all
    f"PIP_{name}" for name in ("TARGET", "PREFIX", "ROOT", "USER", "PYTHON", "DRY_RUN", "REPORT", "EDITABLE")
)


class Ended(NamedTuple):
    """How a command went. `lines`: the last it printed, to either stream."""

    code: int
    lines: tuple[str, ...]


def installer_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what pip and its build backends see: what finds and reaches an index, and nothing else of the daemon's."""
    passed = {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith("PIP_")}
    return {name: value for name, value in passed.items() if name not in _ELSEWHERE}


async def run_bounded(command: Sequence[str], *, folder: Path, seconds: float) -> Ended:
    """Run a command to its end. It does not outlive the daemon, nor a cancelled task.

    Raises:
        TimeoutError: it took longer; it is gone.
        OSError: it cannot be started.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(_LEASH),
        *command,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT,
        env=installer_environment(),
        cwd=folder,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            tail = await _tail(process)
            code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return Ended(code, tail)


async def _tail(process: asyncio.subprocess.Process) -> tuple[str, ...]:
    assert process.stdout is not None  # noqa: S101 it is a pipe
    tail = b""
    while chunk := await process.stdout.read(READ_BYTES):
        tail = (tail + chunk)[-TAIL_BYTES:]
    lines = tail.decode("utf-8", "replace").splitlines()
    return tuple(line.rstrip()[:LINE_CHARS_MAX] for line in lines if line.strip())
