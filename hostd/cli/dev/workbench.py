"""`hostd dev` as a whole: a daemon inside, what follows the folder, plugins and runs, the screen and the keys."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from hostd.aio import spawn
from hostd.cli.dev.documents import Documents
from hostd.cli.dev.inside import Inside
from hostd.cli.dev.keyboard import END, Keyboard
from hostd.cli.dev.keys import BAR, Keys
from hostd.cli.dev.line import Line
from hostd.cli.dev.plugins import Plugins
from hostd.cli.dev.runs import Runs
from hostd.cli.dev.screen import Screen, badly, dim, note, styled
from hostd.cli.tables import clean, shortened
from hostd.client import connect
from hostd.client.aio.client import Client

LOOK_EVERY_S = 0.25
DRAW_EVERY_S = 0.2
EXIT_AT_ONCE = 130


class Workbench:
    """One session on one folder, on the event loop that calls `run`."""

    def __init__(self, folder: Path, inside: Inside) -> None:
        self._folder, self._inside = folder, inside
        self._screen = Screen()
        self._leaving = asyncio.Event()
        self._keyboard = Keyboard(leave=self._screen.leave, enter=self._screen.enter) if self._screen.live else None

    async def run(self) -> int:
        """Serve until somebody quits; return the exit code. Raises what keeps the daemon from starting."""
        loop = asyncio.get_running_loop()
        self._screen.unread = lambda: self._end_from_outside(loop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave)
        try:
            await self._inside.start(self._tell_log)
            await self._work()
        finally:
            self._close_terminal()
            await self._inside.stop()
        return 0

    def _end_from_outside(self, loop: asyncio.AbstractEventLoop) -> None:
        """End, as another thread asks; nothing where it has ended."""
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._leaving.set)

    def _leave(self) -> None:
        if self._leaving.is_set():
            self._close_terminal()
            os._exit(EXIT_AT_ONCE)
        self._leaving.set()

    def _close_terminal(self) -> None:
        self._screen.below = None
        self._screen.leave()
        if self._keyboard is not None:
            self._keyboard.end()

    def _tell_log(self, level: str, text: str) -> None:
        line = shortened(clean(text), 400)
        self._screen.say(badly(line) if level in ("error", "critical") else note(line))

    async def _work(self) -> None:
        self._screen.say("\n".join([*self._heading(), ""]))
        async with connect(data=self._inside.data, address=None) as client:
            await self._serve(client)

    async def _serve(self, client: Client) -> None:
        documents = Documents(self._folder, client, self._screen, self._inside.http)
        runs = Runs(client, self._screen)
        plugins = Plugins(client, self._screen, documents.again)
        following = [self._started(runs.follow(), "runs")]
        await plugins.look()
        await documents.look(first=True)
        if not documents.files:
            self._screen.say(note(f"no workflow in {self._folder} yet: write one, or `hostd init` a folder with one"))
        following += [self._started(plugins.follow(), "plugins"), self._started(self._look(documents), "documents")]
        if self._keyboard is not None:
            following += self._at_the_terminal(client, documents, runs)
        leaving = self._started(self._left(), "leaving")
        done, _ = await asyncio.wait([leaving, *following], return_when=asyncio.FIRST_COMPLETED)
        self._close_terminal()
        if leaving in done:
            self._screen.say(dim("stopping; what runs goes on when dev is started again"))
        for task in following:
            task.cancel()
        with suppress(asyncio.CancelledError):
            for task in done:
                await task

    def _started(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return spawn(work, name=f"dev {name}")

    async def _left(self) -> None:
        await self._leaving.wait()

    async def _look(self, documents: Documents) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await documents.look()

    def _at_the_terminal(self, client: Client, documents: Documents, runs: Runs) -> list[asyncio.Task[None]]:
        keyboard = self._keyboard
        assert keyboard is not None  # noqa: S101  there is a terminal
        line = Line(keyboard.key, self._screen.draw)
        keys = Keys(client, self._screen, documents, runs, line)
        keys.about = self._heading()

        def below(columns: int, rows: int) -> list[str]:
            asked = line.shown(columns)
            bar = asked if asked is not None else self._bar(documents, runs, columns)
            return ["", *runs.lines(columns, rows - 3), bar] if runs.drawn else ["", bar]

        self._screen.below = below
        keyboard.begin()
        self._screen.draw()
        return [self._started(self._press(keys), "keys"), self._started(self._draw(runs), "drawing")]

    async def _press(self, keys: Keys) -> None:
        assert self._keyboard is not None  # noqa: S101  there is a terminal
        while (key := await self._keyboard.key()) not in ("q", END):
            await keys.press(key)
        self._leaving.set()
        await asyncio.Event().wait()

    async def _draw(self, runs: Runs) -> None:
        """Draw what goes on anew, so that its clocks go."""
        while True:
            await asyncio.sleep(DRAW_EVERY_S)
            if runs.drawn or self._screen.stale:
                self._screen.draw()

    def _bar(self, documents: Documents, runs: Runs, columns: int) -> str:
        """Return the keys, and what there is as far as there is room for it."""
        bar = dim(BAR)
        room = columns - len(BAR)
        wrong = sum(len(file.faults) for file in documents.files.values())
        for number, word, color in ((wrong, "mistake", "red"), (runs.started, "run", None)):
            text = f"   {number} {word}{'s' if number > 1 else ''}"
            if number and len(text) <= room:
                bar += styled(text, fg=color, dim=color is None)
                room -= len(text)
        return bar if len(BAR) <= columns else dim(shortened(BAR, columns))

    def _heading(self) -> list[str]:
        inside = self._inside
        kept = shlex.quote(str(inside.data))
        pairs = [
            ("folder", str(self._folder)),
            ("gRPC", inside.grpc or "on the socket of the data folder"),
            ("HTTP", f"http://{inside.http}" if inside.http else "off"),
            ("data", f"export HOSTD_DATA={kept}   for other commands"),
            ("log", str(inside.log)),
        ]
        return [styled("hostd dev", bold=True), *(f"  {dim(f'{name:<6}')}  {clean(text)}" for name, text in pairs)]


def work(folder: Path, inside: Inside) -> int:
    """Run a session in an event loop of its own; return the exit code."""

    async def session() -> int:
        return await Workbench(folder, inside).run()

    with asyncio.Runner() as runner:
        return runner.run(session())
