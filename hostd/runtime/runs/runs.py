"""Runs as the doors see them: reading, starting and steering, telling, watching."""

from __future__ import annotations

from hostd.runtime.runs.run_signals import RunSignals
from hostd.runtime.runs.run_watch import RunWatch


class Runs(RunSignals, RunWatch):
    """Everything about runs, over one set of rooms."""
