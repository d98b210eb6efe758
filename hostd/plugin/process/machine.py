"""The clocks of the machine a plugin's process runs on."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Wall and monotonic time."""

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000  # noqa: TID251 the process's one clock

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running loop."""
        await asyncio.sleep(seconds)
