"""The states of a plugin's process."""

from __future__ import annotations

import enum


class ProcessState(enum.StrEnum):
    """Where in its life a plugin's process is."""

    IDLE = "IDLE"
    STARTING = "STARTING"
    READY = "READY"
    BACKING_OFF = "BACKING_OFF"
    QUARANTINED = "QUARANTINED"
    BROKEN = "BROKEN"
    STOPPED = "STOPPED"


COMING = (ProcessState.IDLE, ProcessState.STARTING, ProcessState.BACKING_OFF)
"""Whoever waits for it then is not waiting for nothing."""
