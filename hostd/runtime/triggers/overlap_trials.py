"""What a trigger's option `overlap` would do with an event now: looked up, not done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hostd.aio import Clock
from hostd.definition.plan import TriggerPlan
from hostd.definition.ports import Catalogue
from hostd.errors.base import HostdError
from hostd.journal.port import Journal
from hostd.model.ids import text_id
from hostd.runtime.ring.readers import Readers
from hostd.runtime.triggers.event_scope import EventScope
from hostd.runtime.triggers.overlap import Place, open_runs

OUTCOMES = {"skip": "SKIPPED", "queue": "QUEUED", "cancel_running": "CANCELS_RUNNING"}
RUNS_TOLD_MAX = 100


class InTheWay(NamedTuple):
    """What becomes of an event because of open runs. `holds_back`: it starts nothing while they are open."""

    outcome: str
    run_ids: tuple[str, ...]
    holds_back: bool


class OverlapTrials:
    """Looks at open runs as emission would."""

    def __init__(self, *, catalogue: Callable[[], Catalogue], journal: Journal, readers: Readers, clock: Clock) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._readers = readers
        self._clock = clock

    def of(self, plan: TriggerPlan, scope_name: str) -> str:
        """Return the trigger's `overlap`, as it is written or by default; empty where its plugin has no such option."""
        about = self._catalogue().trigger(plan.uses)
        properties = about.schema.get("properties", {}) if about is not None else {}
        option = properties.get("overlap") if isinstance(properties, dict) else None
        if not isinstance(option, dict):
            return ""
        return str(self._written(plan, scope_name).get("overlap", option.get("default", "")))

    def _written(self, plan: TriggerPlan, scope_name: str) -> dict[str, Any]:
        scope = EventScope({}, now_ms=self._clock.wall_ms(), trigger=scope_name, event_id="")
        try:
            rendered = plan.options.render(scope) if plan.options is not None else {}
        except HostdError:
            return {}  # it does not run either
        return rendered if isinstance(rendered, dict) else {}

    async def look(self, place: Place, overlap: str) -> InTheWay | None:
        """Return what becomes of an event, None where no run of the trigger is open."""
        rows = await self._readers.call(self._journal.query_runs, open_runs(place))
        if not rows:
            return None
        run_ids = tuple(text_id(row.run_id) for row in rows[:RUNS_TOLD_MAX])
        return InTheWay(OUTCOMES[overlap], run_ids, overlap != "cancel_running")
