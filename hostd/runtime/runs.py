"""Runs as the doors see them: reading, starting and steering, watching."""

from __future__ import annotations

from hostd.runtime.run_verbs import RunVerbs
from hostd.runtime.run_watch import RunWatch


class Runs(RunVerbs, RunWatch):
    """Everything about runs, over one set of rooms."""
