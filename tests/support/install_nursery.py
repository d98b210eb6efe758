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

from hostd.host.host import PluginHost
from hostd.host.installed.installed import Installed


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
            return ["install", "enable"]
        return ["install", "install", "disable", "uninstall", *(["rollback"] * 2 if self.older else [])]


DO: dict[str, Callable[[PluginHost, Installed, int], Awaitable[Any]]] = {
    "install": lambda host, installed, version: installed.install(order(), sent(packed("one", str(version)))),
    "rollback": lambda host, installed, version: installed.rollback("one"),
    "uninstall": lambda host, installed, version: installed.uninstall("one"),
    "disable": lambda host, installed, version: host.disable("one"),
    "enable": lambda host, installed, version: host.enable("one"),
}


async def opened(folder: Path) -> tuple[PluginHost, Kept]:
    """Return a host, and what it found."""
    host = PluginHost(data_dir=folder, installed_dir=folder / "installed", random=random.Random(1))
    host.load(found=[])
    await host.start_processes()
    found = [one for one in host.registry.plugins if one.id == "one"]
    if not found or host.installed is None:
        return host, Kept()
    older = host.installed.serving.rollback_version("one")
    state = found[0].state.value
    if state not in ("LOADED", "DISABLED"):
        raise RuntimeError(f"the plugin is {state}: {found[0].message}")
    return host, Kept(int(found[0].version), int(older or 0), state == "DISABLED")


async def life(folder: Path, acks: int, seed: int) -> None:
    """Change the plugin again and again."""
    dice = random.Random(seed)
    host, kept = await opened(folder)
    assert host.installed is not None
    os.write(acks, f"FOUND {json.dumps(kept)}\n".encode())
    while True:
        verb, version = dice.choice(kept.verbs()), dice.randrange(1, 1 << 30)
        os.write(acks, f"BEGIN {verb} {version}\n".encode())
        await DO[verb](host, host.installed, version)
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
    host, kept = await opened(folder)
    await host.close()
    watcher.found(kept)
    root = folder / "installed"
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
