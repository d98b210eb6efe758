"""What the journal has of configured triggers, read when they begin to live, and kept while anything may change it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

import msgspec

from hostd.definition.plan import TriggerPlan
from hostd.journal.port import Journal, TriggerRow
from hostd.runtime.ring.readers import Readers
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.triggers.trigger_source import KeptRow

_log = logging.getLogger("hostd.runtime")

ONE_BY_ONE_MAX = 100  # rows; past that all are read at once


class TriggerRows:
    """Hands out one row for all versions of a trigger; see KeptRow.

    Args:
        told: called with the name of a trigger whose row is different.
    """

    def __init__(self, readers: Readers, told: Callable[[Name], None]) -> None:
        self._readers = readers
        self._told = told
        self._kept: WeakValueDictionary[Name, KeptRow] = WeakValueDictionary()

    async def read(self, journal: Journal, names: Sequence[Name]) -> dict[Name, TriggerRow]:
        """Read rows; others may be among them, those that are not there yet are not."""
        found: dict[Name, TriggerRow] = await self._readers.call(_read, journal, names)
        return found

    def kept(self, name: Name, plan: TriggerPlan, read: TriggerRow | None) -> KeptRow:
        """Return a trigger's row: the one that something may be about to change, else the one that was read."""
        kept = self._kept.get(name)
        if kept is not None and not kept.forgotten:
            if kept.row.uses == plan.uses:
                return kept
            kept.forgotten, read = True, kept.row
        if read is None:
            read = TriggerRow(*name, plan.uses)
        elif read.uses != plan.uses:
            named = f"{name[1]}/{name[2]}"
            _log.warning("trigger_cursor_reset trigger=%s was=%s now=%s", named, read.uses, plan.uses)
            read = msgspec.structs.replace(read, uses=plan.uses, cursor=b"")
        kept = self._kept[name] = KeptRow(read, self._told)
        return kept


def _read(journal: Journal, names: Sequence[Name]) -> dict[Name, TriggerRow]:
    if len(names) > ONE_BY_ONE_MAX:
        found = journal.triggers(None)
    else:
        found = [row for name in names if (row := journal.trigger(*name)) is not None]
    return {(row.namespace, row.workflow, row.name): row for row in found}
