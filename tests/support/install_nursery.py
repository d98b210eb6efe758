"""Kills hosts while they install, roll back, disable and uninstall a plugin; then looks which version each start found.

Run as `python install_nursery.py FOLDER CYCLES SEED`. Each life tells what it found, what it begins and what was done.
Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from crash_nursery import one_life
from lua_installs import order, packed, sent

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.host.installed.installed import FOLDER

NS = "default"
ME = {"principal": "nursery"}


class Kept(NamedTuple):
    """What somebody was told that there is: versions by number, 0 for none."""

    serving: int = 0
    older: int = 0
    disabled: bool = False

    def after(self, verb: str, version: int) -> Kept:
        """Return what there is when a change is done."""
        if verb == "install":
            return Kept(version, self.serving, self.disabled)
        if verb == "rollback":
            return Kept(self.older, self.serving, self.disabled)
        if verb == "uninstall":
            return Kept()
        return self._replace(disabled=verb == "disable")

    def verbs(self) -> list[str]:
        """Return what can be done."""
        if not self.serving:
            return ["install"]
        if self.disabled:
            return ["install", "enable", "uninstall"]
        return ["install", "install", "disable", "uninstall", *(["rollback"] * 2 if self.older else [])]


DO: dict[str, Callable[[Any, int], Awaitable[Any]]] = {
    "install": lambda desk, version: desk.install(NS, order(), sent(packed("one", str(version))), **ME, local=True),
    "rollback": lambda desk, version: desk.rollback(NS, "one", **ME),
    "uninstall": lambda desk, version: desk.uninstall(NS, "one", **ME),
    "disable": lambda desk, version: desk.disable(NS, "one", **ME),
    "enable": lambda desk, version: desk.enable(NS, "one", **ME),
}


async def opened(folder: Path) -> tuple[Core, Kept]:
    """Return a host as a daemon has it, and what it found."""
    core = Core(Config(), data=folder)
    await core.open()
    found = [one for one in core.front.plugins.list() if one.id == "one"]
    if not found:
        return core, Kept()
    if found[0].state not in ("LOADED", "DISABLED"):
        raise RuntimeError(f"the plugin is {found[0].state}: {found[0].message}")
    return core, Kept(int(found[0].version), int(found[0].rollback_version or 0), found[0].state == "DISABLED")


async def life(folder: Path, acks: int, seed: int) -> None:
    """Change the plugin again and again."""
    dice = random.Random(seed)
    core, kept = await opened(folder)
    os.write(acks, f"FOUND {json.dumps(kept)}\n".encode())
    while True:
        verb, version = dice.choice(kept.verbs()), dice.randrange(1, 1 << 30)
        os.write(acks, f"BEGIN {verb} {version}\n".encode())
        await DO[verb](core.front.installs, version)
        os.write(acks, f"DONE {verb} {version}\n".encode())
        kept = kept.after(verb, version)


class Watcher:
    """Reads what lives told, and knows what the next one may find."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.changes = 0
        self.cut_off = 0
        self._kept = Kept()
        self._begun: tuple[str, int] | None = None

    def heard(self, line: str) -> None:
        """Take a line."""
        word, _, rest = line.partition(" ")
        if word == "FOUND":
            self.found(Kept(*json.loads(rest)))
            return
        verb, _, version = rest.partition(" ")
        if word == "BEGIN":
            self._begun = (verb, int(version))
            return
        self._kept, self._begun = self._kept.after(verb, int(version)), None
        self.changes += 1

    def found(self, kept: Kept) -> None:
        """A start found this: what was done, or what was begun and cut off, whole."""
        may_be = [self._kept]
        if self._begun is not None:
            self.cut_off += 1
            may_be.append(self._kept.after(*self._begun))
        if kept not in may_be:
            self.faults.append(f"found {kept} where there may be {may_be}")
        self._kept, self._begun = kept, None


async def judge(folder: Path, watcher: Watcher) -> None:
    """Look at what the last life left."""
    core, kept = await opened(folder)
    await core.close()
    watcher.found(kept)
    root = folder / FOLDER
    versions = [entry.name for entry in (root / "one").iterdir() if entry.is_dir()] if (root / "one").exists() else []
    counted = sum(1 for version in (kept.serving, kept.older) if version)
    if len(versions) != counted:
        watcher.faults.append(f"there are {versions} where {counted} count")
    rubbish = [str(entry) for pattern in (".incoming-*", "*.partial", "*/*.partial") for entry in root.glob(pattern)]
    if rubbish:
        watcher.faults.append(f"{rubbish} is left")


def main() -> None:
    """Kill as often as asked, judge, print."""
    folder, cycles, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    dice, watcher = random.Random(seed), Watcher()
    for _ in range(cycles):
        for line in one_life(folder, dice, life):
            watcher.heard(line)
    asyncio.run(judge(folder, watcher))
    print(json.dumps({"changes": watcher.changes, "cut_off": watcher.cut_off, "faults": watcher.faults[:20]}))


if __name__ == "__main__":
    main()
