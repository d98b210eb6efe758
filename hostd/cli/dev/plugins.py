"""The plugins of a folder as they come, change, break and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from hostd.cli.dev.excerpts import fix_of, wrapped
from hostd.cli.dev.screen import Screen, badly, dim, gone, styled, well
from hostd.cli.tables import clean

if TYPE_CHECKING:
    from hostd.client import Client
    from hostd.client.host_results import Plugin

EVERY_S = 0.5
_TRACE_LINES = 12
_PASSING = ("STARTING",)


class Served(NamedTuple):
    """What is told of a plugin; told again when it is not the same."""

    version: str
    state: str
    reason: str
    message: str
    components: tuple[str, ...]
    traceback: str


class Plugins:
    """Follows what becomes of the folders of `plugins`. `changed` is awaited when steps may find something new."""

    def __init__(self, client: Client, screen: Screen, changed: Callable[[], Awaitable[None]]) -> None:
        self.known: dict[str, Served] = {}
        self._client, self._screen, self._changed = client, screen, changed

    async def follow(self) -> None:
        """Look again and again, for as long as the daemon serves."""
        while True:
            if await self.look():
                await self._changed()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> bool:
        """Tell what changed; say whether anything did."""
        there = {each.id: _served(each) async for each in self._client.list_plugins() if each.source == "folder"}
        changed = [plugin for plugin, served in there.items() if served != self.known.get(plugin)]
        changed = [plugin for plugin in changed if there[plugin].state not in _PASSING]
        for plugin in changed:
            self._tell(plugin, there[plugin])
        left = self.known.keys() - there.keys()
        for plugin in sorted(left):
            self._screen.say(gone(f"plugin {styled(plugin, bold=True)} is gone"))
        self.known = there
        return bool(changed or left)

    def _tell(self, plugin: str, served: Served) -> None:
        name = f"plugin {styled(clean(plugin), bold=True)} {clean(served.version)}".rstrip()
        if served.reason or served.message:
            lines = [badly(f"{name}  {dim('the version before stays') if served.state == 'LOADED' else served.state}")]
            told = wrapped(f"{served.reason} {served.message}".strip(), "  ", self._screen.width)
            lines += [line.replace(served.reason, styled(served.reason, fg="red"), 1) for line in told]
            lines += [dim(f"  {clean(line)}") for line in served.traceback.splitlines()[-_TRACE_LINES:]]
            fix = fix_of(served.reason)
            self._screen.say("\n".join([*lines, *([f"  fix: {fix}"] if fix else []), ""]))
            return
        self._screen.say(well(f"{name}  {dim(', '.join(served.components))}"))


def _served(plugin: Plugin) -> Served:
    components = tuple(f"{each.kind.lower()} {each.id}" for each in plugin.components)
    return Served(plugin.version, plugin.state, plugin.reason, plugin.message, components, plugin.traceback)
