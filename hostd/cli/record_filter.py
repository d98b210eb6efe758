"""Which records `hostd runs history` prints: those of some kinds and steps."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from hostd.errors.base import invalid
from hostd.v1.run_pb2 import RecordKind

_PREFIX = "RECORD_KIND_"


def wanted_records(kinds: Iterable[str], steps: Iterable[str]) -> Callable[[Any], bool]:
    """Return what says whether a record is wanted; without kinds or steps all are. Raises ARGUMENT_INVALID."""
    numbers = {kind_number(kind) for kind in kinds}
    names = set(steps)
    return lambda record: (not numbers or record.kind in numbers) and (not names or record.step in names)


def kind_number(text: str) -> int:
    """Return a kind of records by its name, in any case. Raises ARGUMENT_INVALID with the nearest one."""
    name = text.upper().replace("-", "_").removeprefix(_PREFIX)
    known = {kind.removeprefix(_PREFIX): number for kind, number in RecordKind.items() if number}
    if name not in known:
        near = difflib.get_close_matches(name[:80], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise invalid("ARGUMENT_INVALID", f"--kind: there is no kind of records {text[:80]!r}; {hint}")
    return known[name]
