"""Installed plugins on disk.

    <data>/plugins-installed/
      .incoming-*/            what is being received and examined
      disabled.json           ids of plugins that do not serve, wherever they come from
      <id>/
        state.json            which versions count; put in place whole once they serve: a kill leaves the old or the new
        <number>/             one version: install.json, and its environment, its folder, or both

What `state.json` does not name is rubbish of an install that did not come to its end, and goes at the next start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
from collections.abc import Container
from pathlib import Path
from typing import TypeVar

import msgspec

from hostd.host.folders.manifest import PLUGIN_ID

INCOMING = ".incoming-"
PARTIAL = ".partial"
STATE, INSTALL, DISABLED = "state.json", "install.json", "disabled.json"
BYTES_MAX = 1024 * 1024
T = TypeVar("T")
_log = logging.getLogger("hostd.host.installed")


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Which versions of a plugin count, by number. `older` 0: there is none."""

    serving: int
    older: int = 0


DAMAGED = Standing(0)
"""Which versions counted, nobody can read any more. None of them is removed until another is installed."""


class Install(msgspec.Struct, frozen=True, gc=False):
    """What is known of one version.

    Args:
        runtime: python, lua or exec.
        entry_point: of a package in the environment; empty for a folder.
        folder: name of the folder beside this file; empty for a package.
        python: version (3.12) of the interpreter whose environment it has; empty without one.
        digest: blake2b-256 (hex) of what was sent.
    """

    id: str
    version: str
    runtime: str
    permissions: tuple[str, ...]
    digest: str
    entry_point: str = ""
    folder: str = ""
    python: str = ""


class Shelf:
    """Reads and writes all of it. Every method blocks; those that write raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def standings(self) -> dict[str, Standing]:
        """Return the plugins that are installed, by id. One whose state is damaged has DAMAGED in its place."""
        found = {}
        for folder in self._plugins():
            if (folder / STATE).exists():
                found[folder.name] = _read(folder / STATE, Standing) or DAMAGED
        return found

    def _plugins(self) -> list[Path]:
        try:
            entries = sorted(self.root.iterdir())
        except OSError:
            return []
        return [entry for entry in entries if re.fullmatch(PLUGIN_ID, entry.name) and entry.is_dir()]

    def home(self, plugin: str, number: int) -> Path:
        """Return the folder of a version."""
        return self.root / plugin / str(number)

    def install_of(self, plugin: str, number: int) -> Install | None:
        """Return what is known of a version, None where that cannot be read."""
        return _read(self.home(plugin, number) / INSTALL, Install)

    # -- changing

    def incoming(self) -> Path:
        """Make a folder for what is being received."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.root / f"{INCOMING}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        return folder

    def next_home(self, plugin: str) -> tuple[int, Path]:
        """Make the folder of a new version; return its number too, which was never used before."""
        home = self.root / plugin
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = [int(entry.name) for entry in home.iterdir() if entry.name.isdigit()]
        number = max(used, default=0) + 1
        self.home(plugin, number).mkdir(mode=0o700)
        return number, self.home(plugin, number)

    def describe(self, home: Path, install: Install) -> None:
        """Write what is known of a version."""
        _write(home / INSTALL, install)

    def propose(self, plugin: str, standing: Standing) -> None:
        """Write which versions are to count, without any effect: `stand` needs no room on the disk after that."""
        _write_partial(self.root / plugin / STATE, standing)

    def stand(self, plugin: str) -> None:
        """Make what was proposed the versions that count, at one instant."""
        _put(self.root / plugin / STATE)

    def withdraw(self, plugin: str) -> None:
        """Forget what was proposed."""
        with contextlib.suppress(OSError):  # the next proposal takes its place
            (self.root / plugin / STATE).with_suffix(PARTIAL).unlink()

    def forget(self, plugin: str) -> None:
        """Forget a plugin, at one instant; its files are rubbish from here on."""
        with contextlib.suppress(FileNotFoundError):
            (self.root / plugin / STATE).unlink()

    def remove(self, plugin: str) -> None:
        """Remove the files of a plugin that was forgotten, as far as they can be."""
        shutil.rmtree(self.root / plugin, ignore_errors=True)

    def drop(self, folder: Path) -> None:
        """Remove a folder that does not count."""
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()  # where nothing else of the plugin is there

    def sweep(self, plugin: str, standing: Standing, *, used: Container[str] = ()) -> None:
        """Remove the versions of a plugin that do not count, as far as they can be.

        Args:
            used: folders of versions that let attempts end.
        """
        kept = {str(standing.serving), str(standing.older)}
        with contextlib.suppress(OSError):  # what cannot be removed now goes the next time
            for entry in (self.root / plugin).iterdir():
                if entry.suffix == PARTIAL:
                    entry.unlink(missing_ok=True)
                elif entry.is_dir() and entry.name not in kept and str(entry) not in used:
                    shutil.rmtree(entry, ignore_errors=True)

    def sweep_all(self) -> None:
        """Remove what changes have left that did not come to their end."""
        for entry in self.root.glob(f"{INCOMING}*"):
            shutil.rmtree(entry, ignore_errors=True)
        with contextlib.suppress(OSError):
            (self.root / DISABLED).with_suffix(PARTIAL).unlink()
        standings = self.standings()
        for folder in self._plugins():
            standing = standings.get(folder.name)
            if standing is not None and standing is not DAMAGED:
                self.sweep(folder.name, standing)
            elif standing is None:
                _log.info("plugin_install_unfinished plugin=%s message=%s", folder.name, "it is removed")
                shutil.rmtree(folder, ignore_errors=True)

    # -- plugins that do not serve

    def disabled(self) -> set[str]:
        """Return the ids of plugins that were disabled."""
        return set(_read(self.root / DISABLED, list[str]) or ())

    def keep_disabled(self, plugins: set[str]) -> None:
        """Write which plugins are disabled."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.root / DISABLED, sorted(plugins))


def _read(file: Path, kind: type[T]) -> T | None:
    """Return what a file of ours holds; None where it is not there, or damaged."""
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(BYTES_MAX), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        _log.error("plugin_state_unreadable file=%s error=%s", file, error)
        return None


def _write(file: Path, value: object) -> None:
    """Replace a file whole; when this returns it is on the disk."""
    _write_partial(file, value)
    _put(file)


def _write_partial(file: Path, value: object) -> None:
    """Put on the disk, beside a file, what is to take its place."""
    descriptor = os.open(file.with_suffix(PARTIAL), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.encode(value))
        opened.flush()
        os.fsync(opened.fileno())


def _put(file: Path) -> None:
    """Let it take its place."""
    file.with_suffix(PARTIAL).replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
