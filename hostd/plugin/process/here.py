"""Calling the loop from wherever a plugin's code runs: on the loop, or in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")


class Here:
    """The loop of the process and the thread it runs in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def call(self, function: Callable[[Unpack[Ts]], object], *arguments: *Ts) -> None:
        """Call a function on the loop: at once from there, soon from a thread."""
        if threading.get_ident() == self._thread:
            function(*arguments)
            return
        self._loop.call_soon_threadsafe(function, *arguments)
