"""Runs as the doors see them: reading, starting and steering, telling, watching."""

from __future__ import annotations

from hostd.runtime.runs.log_tail import LogTails
from hostd.runtime.runs.run_signals import RunSignals


class Runs(RunSignals, LogTails):
    """Everything about runs, over one set of rooms."""
