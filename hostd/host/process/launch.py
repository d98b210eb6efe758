"""How a plugin's process is started: its command, its surroundings, and what it may ask of the host."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

PERMISSIONS = frozenset({"net", "fs", "secrets", "subprocess", "kv", "blobs", "events"})
"""What a manifest may ask for. `fs` and `subprocess` only tell the operator; the host serves the others on request."""

CHILD_MODULE = "hostd.plugin.process"
ADDRESS = "HOSTD_PLUGIN_ADDRESS"
COOKIE = "HOSTD_PLUGIN_COOKIE"
PLUGIN = "HOSTD_PLUGIN_ID"
VERSION = "HOSTD_PLUGIN_VERSION"
ORPHAN = "HOSTD_PLUGIN_ORPHAN_S"
PYTHON = "HOSTD_PLUGIN_PYTHON"
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ")


class Provided(NamedTuple):
    """A component as a manifest names it. Schemas and sample are JSON; `settings_schema` empty for none."""

    kind: str
    id: str
    description: str = ""
    since: str = ""
    stability: str = ""
    effects: str = ""
    instances: str = ""
    max_in_flight: int = 0
    options_schema: bytes = b""
    sample: bytes = b""
    settings_schema: bytes = b""
    codes: tuple[tuple[str, str], ...] = ()


class Launch(NamedTuple):
    """A plugin's command line. `folder` is the working directory; `environment` is added to what is passed on.

    `provides`: what it serves as far as can be told without running it.
    """

    command: tuple[str, ...]
    folder: Path | None = None
    environment: Mapping[str, str] = {}
    permissions: frozenset[str] = PERMISSIONS
    content: str = ""  # digest of the plugin's files, where they may change under one version
    provides: tuple[Provided, ...] = ()

    def digest(self, version: str) -> str:
        """Return what two launches of the same program share, on every start of the daemon."""
        named = (version, self.command, str(self.folder), sorted(self.environment.items()), sorted(self.permissions))
        return hashlib.blake2b(repr((*named, self.content)).encode(), digest_size=8).hexdigest()


class ProcessLimits(msgspec.Struct, frozen=True, gc=False):
    """What one plugin process may take. Sizes are bytes; 0 = no limit."""

    memory_bytes: int = 1 << 30
    files: int = 1024
    file_bytes: int = 1 << 30
    cpu: float = 0.0  # processors used on average over ten seconds
    attempts: int = 100
    start: timedelta = timedelta(seconds=30)
    answer: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(minutes=10)
    orphan: timedelta = timedelta(seconds=30)


def python_launch(*arguments: str, python: str = sys.executable, permissions: frozenset[str] = PERMISSIONS) -> Launch:
    """Return how a Python plugin is started: by its entry point, or from its folder."""
    return Launch((python, "-m", CHILD_MODULE, *arguments), permissions=permissions)


def surroundings(
    launch: Launch,
    *,
    address: str,
    cookie: str,
    plugin: str,
    version: str,
    orphan: timedelta,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the child's whole environment: nothing of the daemon's but what every program needs."""
    passed = {name: environ[name] for name in _PASSED_ON if name in environ}
    own = {ADDRESS: address, COOKIE: cookie, PLUGIN: plugin, VERSION: version, ORPHAN: f"{orphan.total_seconds():g}"}
    return {**passed, "PYTHONUNBUFFERED": "1", PYTHON: sys.executable, **launch.environment, **own}
