"""An action that logs what a test tells it to, and ends when it is told to: `talker.talk`."""

from __future__ import annotations

import asyncio
from functools import partial
from types import ModuleType
from typing import Any

from hostd.host.found import Found, Source
from hostd.host.host import PluginHost
from hostd.plugin import Action, ActionContext, Field, Options, Registry, hookimpl

TALK = "workflow: talk\nsteps:\n  speak: {uses: talker.talk, with: {}}\n"


class TalkOptions(Options):
    """Anything."""

    value: str = Field("", description="What is not said.")


class Talker:
    """One attempt, in the hand of a test."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.done = asyncio.Event()
        self._context: Any = None

    def say(self, text: str) -> None:
        """Log a line."""
        self._context.log.info(text)

    async def run(self, context: ActionContext) -> None:
        """Be the attempt."""
        self._context = context
        self.started.set()
        await self.done.wait()


def add_talker(host: PluginHost) -> Talker:
    """Load the action into a host; return what talks."""
    talker = Talker()

    class Talk(Action[TalkOptions]):
        """Says what a test says."""

        id = "talker.talk"
        executors = ("inline",)

        async def run(self, ctx: ActionContext, options: TalkOptions) -> None:
            """Say it."""
            await talker.run(ctx)

    def register(registry: Registry) -> None:
        registry.action(Talk)

    module: Any = ModuleType("talker")
    module.hostd_register = hookimpl(register)
    host.add(Found("talker", "1", Source.BUILT_IN, "memory", partial(lambda made: made, module)))
    return talker
