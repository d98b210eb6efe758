"""A trigger's cursors: one, or one for each partition, in the one row the journal has for a trigger.

Kept form: the cursor's JSON text; with partitions {"partitions": {KEY: cursor}}, the last one moved last.
"""

from __future__ import annotations

from typing import Any

from hostd.values.json_text import dump_json, parse_json

CURSORS_MAX = 2_000  # of partitions; those that have not moved for longest are forgotten


def cursor_of(kept: bytes, partition: str) -> Any:
    """Return the cursor of a partition (empty: the trigger has none), None before the first."""
    if not kept:
        return None
    value = parse_json(kept)
    return _cursors(value).get(partition) if partition else value


def with_cursor(kept: bytes, partition: str, cursor: Any) -> bytes:
    """Return what is kept once a partition's cursor has moved."""
    if not partition:
        return dump_json(cursor)
    cursors = dict(_cursors(parse_json(kept))) if kept else {}
    cursors.pop(partition, None)
    cursors[partition] = cursor
    while len(cursors) > CURSORS_MAX:
        del cursors[next(iter(cursors))]
    return dump_json({"partitions": cursors})


def _cursors(value: Any) -> dict[str, Any]:
    cursors = value.get("partitions") if isinstance(value, dict) else None
    return cursors if isinstance(cursors, dict) else {}
