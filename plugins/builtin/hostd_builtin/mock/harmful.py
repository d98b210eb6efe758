"""Mock actions that can hurt the daemon or write files: refused unless the operator sets `harmful: true`.

`plugins.settings.mock: {harmful: true}` in the configuration, or HOSTD_PLUGINS__SETTINGS__MOCK__HARMFUL=true.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TypeVar

from hostd.plugin import Action, ActionContext, ActionError, Duration, Field, JsonValue, Options
from hostd_builtin.mock.codes import FORBIDDEN

OptionsT = TypeVar("OptionsT", bound=Options)


class MockSettings(Options):
    """What tests may do to this daemon."""

    harmful: bool = Field(False, description="Allow mock actions that kill, block or write files.")


class Harmful(Action[OptionsT]):
    """Base of what needs the operator's word."""

    Settings = MockSettings
    codes = FORBIDDEN

    def allow(self) -> None:
        """Raise ActionError MOCK_FORBIDDEN unless the operator allowed harm."""
        settings: MockSettings = self.settings
        if not settings.harmful:
            raise ActionError(
                f"{self.id} can harm the daemon; the operator allows it by `plugins.settings.mock: {{harmful: true}}`",
                code="MOCK_FORBIDDEN",
            )


class ExitOptions(Options):
    """How, and how often."""

    code: int = Field(137, description="The daemon's exit code.", ge=0, le=255)
    times: int | None = Field(
        None, description="Attempts that kill; later ones succeed; absent = all.", ge=0, examples=[1]
    )
    after: Duration = Field("0s", description="Wait before.", le="1h")


class Exit(Harmful[ExitOptions]):
    """Ends the daemon on the spot, as a crash in C code does."""

    id, since, stability, effects = "mock.exit", "0.1", "stable", "idempotent"

    async def run(self, ctx: ActionContext, options: ExitOptions) -> dict[str, JsonValue]:
        """End the process."""
        self.allow()
        if options.times is not None and ctx.attempt > options.times:
            return {"attempt": ctx.attempt}
        if options.after:
            await ctx.clock.sleep(options.after)
        os._exit(options.code)


class HangOptions(Options):
    """How stubbornly."""

    ignore_cancel: bool = Field(False, description="Go on when cancelled, for at most a minute.")


class Hang(Harmful[HangOptions]):
    """Never answers."""

    id, since, stability, effects = "mock.hang", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: HangOptions) -> None:
        """Wait for ever."""
        if options.ignore_cancel:
            self.allow()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not options.ignore_cancel:
                raise
            await asyncio.sleep(60)


class BlockOptions(Options):
    """How long."""

    duration: Duration = Field(description="Time to hold the loop.", le="1m", examples=["500ms"])


class Block(Harmful[BlockOptions]):
    """Blocks the daemon's loop, as a plugin with a blocking call does."""

    id, since, stability, effects = "mock.block", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: BlockOptions) -> None:
        """Sleep without waiting."""
        self.allow()
        time.sleep(options.duration.total_seconds())  # noqa: ASYNC251 what it is for


class ThreadOptions(Options):
    """How long, and whether it listens."""

    duration: Duration = Field(description="Time to work.", le="1h", examples=["1s"])
    ignore_cancel: bool = Field(False, description="Do not look at the cancel flag.")


class Thread(Harmful[ThreadOptions]):
    """Works in a thread, looking at the cancel flag every 10 ms."""

    id, since, stability, effects, executors = "mock.thread", "0.1", "stable", "none", ("thread",)

    def run(self, ctx: ActionContext, options: ThreadOptions) -> dict[str, JsonValue]:
        """Work until done or asked to stop."""
        if options.ignore_cancel:
            self.allow()
        end_s = ctx.clock.monotonic_s() + options.duration.total_seconds()
        while ctx.clock.monotonic_s() < end_s:
            if ctx.cancel.requested and not options.ignore_cancel:
                return {"stopped": True}
            time.sleep(0.01)
        return {"stopped": False}


class CountOptions(Options):
    """Where to count."""

    file: str = Field(description="File to append a line to.", max_length=4_096, examples=["executions.txt"])
    text: str = Field("", description="Stands in the line.", max_length=1_000)
    then_wait: Duration = Field("0s", description="Wait after writing.", le="1h")


async def _append(ctx: ActionContext, options: CountOptions) -> dict[str, JsonValue]:
    """Append `<key> <run> <step> <attempt> <text>` durably: one line per execution, whatever the journal says."""
    line = f"{ctx.idempotency_key} {ctx.run_id} {ctx.step} {ctx.attempt} {options.text}".rstrip() + "\n"
    descriptor = os.open(options.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
    if options.then_wait:
        await ctx.clock.sleep(options.then_wait)
    return {"attempt": ctx.attempt, "key": ctx.idempotency_key}


class Count(Harmful[CountOptions]):
    """Leaves a mark per execution; must never be issued again once lost."""

    id, since, stability, effects = "mock.count", "0.1", "stable", "at_most_once"

    async def run(self, ctx: ActionContext, options: CountOptions) -> dict[str, JsonValue]:
        """Append the line."""
        self.allow()
        return await _append(ctx, options)


class Append(Harmful[CountOptions]):
    """Leaves a mark per execution; may be issued again, with the same key."""

    id, since, stability, effects = "mock.append", "0.1", "stable", "idempotent"

    async def run(self, ctx: ActionContext, options: CountOptions) -> dict[str, JsonValue]:
        """Append the line."""
        self.allow()
        return await _append(ctx, options)
