"""How late this machine wakes whoever sleeps: what a test that watches a loop cannot hold against the loop."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import select, sys, time
worst_s = 0.0
while True:
    began_s = time.monotonic()
    if select.select([sys.stdin], [], [], 0.02)[0]:
        break
    worst_s = max(worst_s, time.monotonic() - began_s - 0.02)
print(worst_s)
"""
BUSY_S = 0.05


class MachinePulse:
    """A process of its own that sleeps and wakes, as nice as this one; begins at once."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, "-S", "-c", SCRIPT], stdin=pipe, stdout=pipe, text=True)

    def too_busy(self) -> bool:
        """Say whether a process that only sleeps was kept waiting, too; ends it."""
        told, _ = self._process.communicate()
        return float(told) > BUSY_S
