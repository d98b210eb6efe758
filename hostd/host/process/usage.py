"""What the processes of plugins use, read from the system now and then. Blocks: call it in a thread."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_S = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """Of one process."""

    memory_bytes: float
    cpu_s: float


def usage_of(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Return what processes use, by the names they were given under; those that are gone are left out."""
    found = ((name, _usage(pid)) for name, pid in pids.items() if pid)
    return {name: usage for name, usage in found if usage is not None}


def _usage(pid: int) -> Usage | None:
    """Return what `/proc` says; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return Usage(int(fields[21]) * _PAGE_BYTES, sum(map(int, fields[11:15])) / _TICKS_S)
    except (OSError, ValueError, IndexError):
        return None
