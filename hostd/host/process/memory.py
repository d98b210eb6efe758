"""What is known of plugins before their processes say it, and whether it was so."""

from __future__ import annotations

import asyncio
from collections.abc import Container

from hostd.aio import spawn
from hostd.host.found import Found
from hostd.host.process.hellos import Hellos, Said, difference
from hostd.host.process.launch import Launch
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.provided import components_of


class Memory:
    """By plugin: what it said the last time, else what its manifest says."""

    def __init__(self, hellos: Hellos) -> None:
        self._hellos = hellos
        self._known: dict[str, tuple[str, Said, str]] = {}  # digest, what is known, and who says so
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._expected: dict[str, frozenset[str]] = {}

    async def recall(self, found: Found, *, taken_over: bool) -> Said | None:
        """Return what a plugin serves, None where its process has to be asked.

        What one said once is only worth something while its files are the same, or where it is the very process.
        """
        launch = _launch(found)
        digest = launch.digest(found.version)
        named = await asyncio.to_thread(self._hellos.named, found.id)
        self._expected[found.id] = named | {one.id for one in launch.provides}
        if not launch.content and not taken_over:
            return None
        said = await asyncio.to_thread(self._hellos.recall, found.id, digest)
        source = "what it said before"
        if said is None and launch.provides:
            said, source = components_of(launch.provides), "what its manifest says"
        if said is not None:
            self._known[found.id] = (digest, said, source)
        return said

    def expected(self, plugin: str) -> frozenset[str]:
        """Return the ids of components that a plugin may come to serve."""
        return self._expected.get(plugin, frozenset())

    def compare(self, found: Found, process: PluginProcess) -> str:
        """Take what a process has said in the place of what was known; return the difference, for people."""
        if not process.spoke:
            return ""
        digest, said = _launch(found).digest(found.version), Said(process.components, process.api)
        known = self._known.get(found.id)
        if known is not None and known[:2] == (digest, said) and known[2] != "what its manifest says":
            return ""
        self._known[found.id] = (digest, said, "what it said before")
        before = self._keeping.get(found.id)
        self._keeping[found.id] = spawn(self._keep(found.id, digest, said, before), name=f"memory of {found.id}")
        if known is None or known[0] != digest:
            return ""
        told = difference(known[1].components, said.components)
        return f"it serves other things than {known[2]}: {told}" if told else ""

    async def _keep(self, plugin: str, digest: str, said: Said, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.to_thread(self._hellos.keep, plugin, digest, said)

    async def settled(self) -> None:
        """Wait until everything is kept."""
        await asyncio.gather(*self._keeping.values(), return_exceptions=True)

    async def sweep(self, plugins: Container[str]) -> None:
        """Forget plugins that are not there any more."""
        await asyncio.to_thread(self._hellos.sweep, plugins)


def _launch(found: Found) -> Launch:
    if found.launch is None:
        raise ValueError(f"plugin {found.id} has no process")
    return found.launch
