"""A plugin's own environment: an empty one, hostd-sdk of this very version, and what the plugin needs. Nothing of the
host's site-packages is seen from inside.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

from hostd.errors.base import HostdError, Kind
from hostd.host.installed.bounded_command import Ended, run_bounded
from hostd.host.installed.offer import GROUP
from hostd.host.installed.sdk_wheel import write_sdk_wheel
from hostd.host.process.launch import CHILD_MODULE, Launch

FOLDER = "environment"
INSTALL_S = 900.0
SHOWN_CHARS = 420  # of pip's last lines: a gRPC status has room for no more
_ADVICE = ("note:", "hint:", "[notice]")
_QUIET = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-q")
_log = logging.getLogger("hostd.host.installed")


async def make_environment(home: Path, requirements: Sequence[str], staging: Path) -> None:
    """Make the environment in `home`.

    Args:
        requirements: as pip takes them, beside hostd-sdk.
        staging: a folder to work in.

    Raises:
        HostdError: INSTALL_FAILED with pip's last lines.
        OSError: a disk that is full.
    """
    environment = home / FOLDER
    await _run((sys.executable, "-I", "-m", "venv", "--without-pip", str(environment)), "venv", staging)
    sdk = await asyncio.to_thread(write_sdk_wheel, staging)
    pip = await _pip(environment, staging)
    made = await asyncio.to_thread(_interpreter, environment)
    await _run((*pip, "install", *_QUIET, "--no-compile", str(sdk), *requirements), "pip", staging)
    if await asyncio.to_thread(_interpreter, environment) != made:
        message = "a package put files of its own in the place of the environment's interpreter (bin/python)"
        raise _failed(f"{message}; leave it out, or tell its author")


async def fetch_wheel(requirement: str, staging: Path) -> Path:
    """Fetch the wheel of a package; return its file. Its dependencies come with its environment.

    Raises:
        HostdError: INSTALL_FAILED with pip's last lines.
    """
    target = staging / "fetched"
    environment = staging / FOLDER
    if importlib.util.find_spec("pip") is None:
        await _run((sys.executable, "-I", "-m", "venv", "--without-pip", str(environment)), "venv", staging)
        pip = await _pip(environment, staging)
    else:
        pip = (sys.executable, "-I", "-m", "pip")
    only = ("--no-deps", "--only-binary", ":all:", "--dest", str(target), "--", requirement)
    await _run((*pip, "download", *_QUIET, *only), "pip", staging)
    wheels = await asyncio.to_thread(lambda: list(target.glob("*.whl")))
    if len(wheels) != 1:
        raise _failed(f"pip fetched {len(wheels)} wheels for {requirement}")
    return wheels[0]


def _interpreter(environment: Path) -> tuple[str, ...]:
    """Return what tells whether an environment's interpreter is the one that was made. Blocks."""
    found = [entry for entry in (environment / "bin").iterdir() if re.fullmatch(r"python[\d.]*", entry.name)]
    links = [f"{entry.name} {entry.readlink() if entry.is_symlink() else 'file'}" for entry in sorted(found)]
    return (*links, (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace"))


async def _pip(environment: Path, staging: Path) -> tuple[str, ...]:
    """Return the beginning of pip's commands for an environment: this daemon's pip, else one inside it."""
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-I", "-m", "pip", "--python", str(python_of(environment)))
    await _run((str(python_of(environment)), "-I", "-m", "ensurepip"), "ensurepip", staging)
    return (str(python_of(environment)), "-I", "-m", "pip")


async def _run(command: Sequence[str], what: str, staging: Path) -> None:
    try:
        ended = await run_bounded(command, folder=staging, seconds=INSTALL_S)
    except TimeoutError:
        raise _failed(f"{what} was not through after {INSTALL_S / 60:g} minutes") from None
    if ended.code:
        _log.warning("plugin_install_failed command=%s exit=%d output=%s", what, ended.code, " / ".join(ended.lines))
        raise _failed(f"{what} ended with {ended.code}: {last_lines(ended)}")


def last_lines(ended: Ended) -> str:
    """Return as many of the last lines as fit into a message, without pip's good advice."""
    lines = [line.strip() for line in ended.lines if not line.strip().startswith(_ADVICE)]
    told: list[str] = []
    left = SHOWN_CHARS
    for line in reversed(lines):
        left -= len(line) + 2
        if left < 0:
            break
        told.append(line)
    return "; ".join(reversed(told)) or "it said nothing"


def _failed(message: str) -> HostdError:
    return HostdError(Kind.STATE, "INSTALL_FAILED", message)


# -- what was made


def python_of(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / "bin" / "python"


def site_of(environment: Path) -> Path:
    """Return the folder of an environment's packages."""
    return environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def installed_version(environment: Path, plugin: str, entry_point: str) -> str:
    """Return the version of the package that provides a plugin. Blocks.

    Raises:
        HostdError: INSTALL_FAILED where none does.
    """
    for package in distributions(path=[str(site_of(environment))]):
        for point in package.entry_points:
            if point.group == GROUP and point.name == plugin and _same(point.value, entry_point):
                return package.version or "0"
    raise _failed(f"after pip was through, no package provides the plugin {plugin} ({entry_point})")


def _same(one: str, other: str) -> bool:
    return re.sub(r"\s", "", one) == re.sub(r"\s", "", other)


def environment_launch(home: Path, *arguments: str, permissions: frozenset[str], content: str) -> Launch:
    """Return how a plugin is started in its own environment; neither PYTHONPATH nor the working folder leaks in."""
    command = (str(python_of(home / FOLDER)), "-I", "-u", "-m", CHILD_MODULE, *arguments)
    return Launch(command, environment={"PYTHONPATH": ""}, permissions=permissions, content=content)
