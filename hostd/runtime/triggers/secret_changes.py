"""Triggers go by secrets for as long as they run; when one changes, those that read it begin anew.

Without that a webhook would take a key for ever that somebody has replaced, and a trigger that missed its secret would
not see that it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hostd.aio import to_its_end
from hostd.runtime.triggers.trigger_live import Live
from hostd.runtime.triggers.triggers import Triggers

BEGIN_S = 5.0  # who sets a secret waits for triggers so long at most
TOLD_MAX = 20


class SecretChanges:
    """Tells triggers of secrets that were set or deleted."""

    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    async def tell(self, namespace: str, secret: str) -> Sequence[str]:
        """Let triggers that read a secret begin anew; return a warning for each that does not run with it.

        Who asks may go away meanwhile: none is left stopped.
        """
        await to_its_end(self._triggers.secret_changed(namespace, secret), name="triggers-secret")
        starting = [live.decided for live in self._readers(namespace, secret) if live.state == "STARTING"]
        if starting:
            await asyncio.wait(starting, timeout=BEGIN_S)
        found = [live for live in self._readers(namespace, secret) if live.state in ("FAILED", "BACKING_OFF")]
        return [f"the trigger {live.source.scope_name} does not run: {live.message}" for live in found[:TOLD_MAX]]

    def _readers(self, namespace: str, secret: str) -> Sequence[Live]:
        return self._triggers.select(lambda live: live.reads(namespace, secret))
