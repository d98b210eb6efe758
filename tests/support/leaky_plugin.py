"""A plugin that does with secrets whatever it can: dropped into a daemon's plugin folder, it runs outside."""

from __future__ import annotations

import base64
import json
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from hostd.plugin import (
    Action,
    ActionContext,
    ActionError,
    Field,
    HostdError,
    Options,
    PermanentFailure,
    Registry,
    Trigger,
    TriggerContext,
    hookimpl,
)


def spoken(value: str) -> list[str]:
    """Return a value in the ways a careless program writes it."""
    raw = value.encode()
    return [
        f"it is {value}!",
        f"https://h/?q={quote(value)}&r={quote(value, safe='')}",
        "Basic " + base64.b64encode(b"user:" + raw).decode(),
        base64.urlsafe_b64encode(b"ab" + raw + b"tail").decode(),
        json.dumps({"nested": json.dumps(value)}),
        repr([value]),
        raw.hex(),
    ]


class SpillOptions(Options):
    """What it is given, and how it ends."""

    secret: str = Field(description="A secret in an option.")
    names: list[str] = Field(description="Secrets to ask for.")
    end: str = Field("well", description="How it ends.")


class Spill(Action[SpillOptions]):
    """Spills into everything an attempt can reach."""

    id, since, stability, effects = "leaky.spill", "0.1", "stable", "none"
    executors = ("inline", "process")

    async def run(self, ctx: ActionContext, options: SpillOptions) -> Any:
        """Spill."""
        values = [options.secret, *[await ctx.secrets.get(name) for name in options.names]]
        all_spoken = [text for value in values for text in spoken(value)]
        for text in all_spoken:
            sys.stdout.write(f"stdout {text}\n")
            sys.stderr.write(f"stderr {text}\n")
            ctx.log.error(text, value=text)
        sys.stdout.flush()
        ctx.heartbeat({"values": all_spoken, values[0]: 1})
        await ctx.kv.put(f"leak-{ctx.run_id}", {"values": all_spoken, values[0]: values})
        try:
            await ctx.kv.put(values[0], 1)
        except HostdError as refused:
            if refused.reason != "KV_KEY_INVALID":
                raise
        await ctx.blobs.put("\n".join(all_spoken).encode() + b"\xff\x00", content_type="text/plain")
        await ctx.clock.sleep(timedelta(seconds=0.2))
        if options.end == "late":
            sys.stdout.write("resting\n")
            sys.stdout.flush()
            await ctx.clock.sleep(timedelta(seconds=4))
            for text in all_spoken:
                sys.stdout.write(f"late {text}\n")
                ctx.log.error(text)
            sys.stdout.flush()
            ctx.heartbeat({"late": all_spoken})
        if options.end == "fail":
            details = {"values": all_spoken}
            raise ActionError(all_spoken[0], code=values[0], details=details, retryable=ctx.attempt < 2)
        if options.end == "raise":
            raise RuntimeError(*all_spoken)
        return {"values": all_spoken, values[0]: values, "joined": "".join(values) * 200}


class TellOptions(Options):
    """What it is given."""

    secret: str = Field(description="A secret in an option.")
    name: str = Field(description="A secret to ask for.")


class Tell(Trigger[TellOptions]):
    """Tells everything a trigger can tell, then fails with it."""

    id, since, stability = "leaky.tell", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Tell."""
        values = [self.options.secret, await ctx.secrets.get(self.options.name)]
        all_spoken = [text for value in values for text in spoken(value)]
        for text in all_spoken:
            ctx.log.error(text, value=text)
        await ctx.kv.put("told", all_spoken)
        event = ctx.event({"values": all_spoken}, id=f"id {values[0]}"[:200])
        await ctx.events.publish("leaks", event)
        await ctx.emit(event, cursor={"after": values})
        raise PermanentFailure(" ".join(all_spoken[:3]))


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register both."""
    registry.action(Spill)
    registry.trigger(Tell)
