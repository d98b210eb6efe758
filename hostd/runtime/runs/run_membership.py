"""Which runs a filter holds: what a change is (ADDED, MODIFIED, DELETED) depends on what was told before.

Only `state`, `reason` and `ended_at` change over a run's life. A filter without them holds a run always or never, and
nothing needs to be kept; for the others the live runs inside are kept. A final run changes no more.
"""

from __future__ import annotations

from hostd.journal.filters import predicate
from hostd.journal.port import RunRow
from hostd.model.filters import And, Filter, Not, Or
from hostd.model.states import run_is_final
from hostd.model.views import ChangeWord

CHANGING = frozenset({"state", "reason", "ended_at"})


def changes_over_life(tree: Filter | None) -> bool:
    """Say whether a run can enter or leave a filter after it began."""
    if tree is None:
        return False
    if isinstance(tree, And | Or):
        return any(changes_over_life(term) for term in tree.terms)
    if isinstance(tree, Not):
        return changes_over_life(tree.term)
    return tree.field in CHANGING


class Membership:
    """What has been told so far: by one watch, or by all that share a filter and have caught up."""

    def __init__(self, tree: Filter | None) -> None:
        self._holds = predicate(tree)
        self._changing = changes_over_life(tree)
        self._inside: set[int] = set()
        self.seen: set[int] = set()  # runs whose membership is known, while a watch is resumed

    def know(self, row: RunRow) -> None:
        """Note a run that was told as part of a snapshot."""
        if self._changing and not run_is_final(row.state):
            self._inside.add(row.run)

    def recall(self, before: RunRow) -> None:
        """Note what a run was when the watch was last told of it."""
        if not self._changing:
            return
        if self._holds(before):
            self._inside.add(before.run)
        else:
            self._inside.discard(before.run)

    def change(self, row: RunRow, *, begins: bool) -> ChangeWord | None:
        """Return what a run's new row means to who watches, None for nothing.

        Args:
            begins: the run's first record is among the news.
        """
        holds = self._holds(row)
        before = self._was_inside(row, begins=begins, holds=holds)
        if self._changing:
            if holds and not run_is_final(row.state):
                self._inside.add(row.run)
            else:
                self._inside.discard(row.run)
        if holds:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def gone(self, row: RunRow, *, begins: bool) -> ChangeWord | None:
        """Return what the deletion of a finished run means to who watches."""
        told = not begins and (row.run in self._inside or self._holds(row))
        self._inside.discard(row.run)
        return "DELETED" if told else None

    def _was_inside(self, row: RunRow, *, begins: bool, holds: bool) -> bool:
        if begins:
            return False
        return row.run in self._inside if self._changing else holds
