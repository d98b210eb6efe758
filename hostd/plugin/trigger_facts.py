"""What a configured trigger is told about itself, and how its events get what it does not say."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

from hostd.plugin.clocks import MachineClock, SlotsClock
from hostd.plugin.event import Event
from hostd.values.json_text import JsonValue, normalize


class TriggerFacts:
    """The part of a TriggerContext that needs nobody.

    Args:
        component: id of the trigger plugin, the events' default type.
        cursor: the last durable cursor.
        since: when the trigger was activated; its first slot lies behind it.
        dice: ids of events are made with it.
        partition: the key it serves; empty where the trigger has none.
    """

    def __init__(
        self,
        *,
        namespace: str,
        workflow: str,
        name: str,
        component: str,
        clock: MachineClock,
        cursor: JsonValue = None,
        since: datetime | None = None,
        dice: random.Random | None = None,
        partition: str = "",
    ) -> None:
        self.namespace = namespace
        self.workflow = workflow
        self.name = name
        self.partition = partition
        self.cursor = cursor
        self.since = since
        self.clock = SlotsClock(clock, cursor, since)
        self._component = component
        self._dice = dice or random.SystemRandom()

    def event(
        self,
        data: JsonValue = None,
        *,
        id: str | None = None,  # noqa: A002 the names of the envelope
        type: str | None = None,  # noqa: A002
        source: str | None = None,
        subject: str = "",
        time: datetime | None = None,
        extensions: dict[str, JsonValue] | None = None,
    ) -> Event:
        """Return an event with what is not given filled in."""
        return Event(
            id=id or f"{self._dice.getrandbits(128):032x}",
            source=source or f"/{self.namespace}/{self.workflow}/{self.name}",
            type=type or self._component,
            time=time or self.clock.now(),
            data=normalize(data),
            subject=subject,
            extensions=normalize(extensions) if extensions else {},  # type: ignore[arg-type]
        )

    async def stopped(self) -> None:
        """Wait until the host cancels the trigger."""
        await asyncio.Event().wait()
