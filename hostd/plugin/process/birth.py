"""What a plugin's process is told when it is started: by its environment and its arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ADDRESS, COOKIE, PLUGIN, VERSION, ORPHAN = (
    "HOSTD_PLUGIN_ADDRESS",
    "HOSTD_PLUGIN_COOKIE",
    "HOSTD_PLUGIN_ID",
    "HOSTD_PLUGIN_VERSION",
    "HOSTD_PLUGIN_ORPHAN_S",
)
GROUP = "HOSTD_PLUGIN_GROUP"
MEMBERS_MAX = 100
ORPHAN_S = 30.0
ORPHAN_S_MAX = 86_400.0
USAGE = (
    "usage: python -m hostd.plugin.process (--entry-point MODULE[:ATTR] | --folder PATH | --group); the host starts it"
)


class BadStartError(Exception):
    """The process was not started as the host starts it."""


class Birth(NamedTuple):
    """One process's task. Exactly one of `entry_point` and `folder` is set.

    Args:
        address: `unix:/path` or `host:port` of the host.
        orphan_s: how long it works on, in seconds, when the host is gone.
    """

    address: str
    cookie: str
    plugin: str
    version: str
    entry_point: str = ""
    folder: str = ""
    orphan_s: float = ORPHAN_S


def read_births(arguments: Sequence[str], environ: Mapping[str, str]) -> list[Birth]:
    """Return what the process is to be: one plugin, or several that the operator put together. Raises BadStartError."""
    if list(arguments) != ["--group"]:
        return [read_birth(arguments, environ)]
    try:
        members = json.loads(environ.get(GROUP, ""))
        told = [
            (
                [str(word) for word in member["arguments"]],
                {name: str(member[name]) for name in (COOKIE, PLUGIN, VERSION)},
            )
            for member in members
        ]
    except (ValueError, TypeError, KeyError):
        raise BadStartError(f"{GROUP} must be set: the host does, for the processes it starts") from None
    if not 0 < len(told) <= MEMBERS_MAX:
        raise BadStartError(f"{GROUP} names {len(told)} plugins; a process has from 1 to {MEMBERS_MAX}")
    return [read_birth(words, {**environ, **own}) for words, own in told]


def read_birth(arguments: Sequence[str], environ: Mapping[str, str]) -> Birth:
    """Return what the process is to be. Raises BadStartError."""
    if len(arguments) != 2 or arguments[0] not in ("--entry-point", "--folder") or not arguments[1]:
        raise BadStartError(USAGE)
    missing = [name for name in (ADDRESS, COOKIE, PLUGIN) if not environ.get(name)]
    if missing:
        raise BadStartError(f"{', '.join(missing)} must be set: the host does, for the processes it starts")
    by_folder = arguments[0] == "--folder"
    return Birth(
        environ[ADDRESS],
        environ[COOKIE],
        environ[PLUGIN],
        environ.get(VERSION, ""),
        entry_point="" if by_folder else arguments[1],
        folder=arguments[1] if by_folder else "",
        orphan_s=_orphan_s(environ.get(ORPHAN, "")),
    )


def _orphan_s(text: str) -> float:
    if not text:
        return ORPHAN_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= ORPHAN_S_MAX:  # also refuses NaN
        raise BadStartError(f"{ORPHAN} is {text[:20]!r}; it is seconds from 0 to {ORPHAN_S_MAX:g}")
    return seconds
