"""The triggers that live, by name and in the order of their names: a page or one workflow's costs what it holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, KeysView, Sequence
from itertools import islice

from hostd.runtime.triggers.trigger_live import Live, Name


class LiveTriggers:
    """Triggers by name.

    Whoever hears is told the name of each trigger that came, went or is in any way different, at once: it only takes
    note, or looks into a mapping.
    """

    def __init__(self) -> None:
        self._hearers: list[Callable[[Name], None]] = []
        self._live: dict[Name, Live] = {}
        self._names: list[Name] = []  # in order

    def hear(self, hearer: Callable[[Name], None]) -> None:
        """Tell of changes from now on."""
        self._hearers.append(hearer)

    def tell(self, name: Name) -> None:
        """Say that a trigger is different."""
        for hearer in self._hearers:
            hearer(name)

    def __iter__(self) -> Iterator[Live]:
        return map(self._live.__getitem__, self._names)

    def __len__(self) -> int:
        return len(self._names)

    def names(self) -> KeysView[Name]:
        """Return every name."""
        return self._live.keys()

    def get(self, name: Name) -> Live | None:
        """Return a trigger, None where it does not live."""
        return self._live.get(name)

    def put(self, name: Name, live: Live) -> None:
        """Take in a trigger, in place of the one of that name."""
        if name not in self._live:
            insort(self._names, name)
        self._live[name] = live
        live.told = self.tell
        self.tell(name)

    def remove(self, name: Name) -> None:
        """Let a trigger go that is there."""
        del self._live[name]
        del self._names[bisect_left(self._names, name)]
        self.tell(name)

    def clear(self) -> None:
        """Let all go."""
        names = self._names
        self._live, self._names = {}, []
        for name in names:
            self.tell(name)

    def page(
        self, namespace: str, workflow: str = "", *, after: tuple[str, str] = ("", ""), limit: int | None = None
    ) -> Sequence[Live]:
        """Return triggers of a namespace, or of one of its workflows, by name.

        Args:
            after: workflow and name of the last that is not wanted.
            limit: so many at most.
        """
        start = bisect_right(self._names, (namespace, *max(after, (workflow, ""))))
        fits = (namespace, workflow)[: 2 if workflow else 1]
        found = islice(self._names, start, None if limit is None else start + limit)
        page: list[Live] = []
        for name in found:
            if name[: len(fits)] != fits:
                break
            page.append(self._live[name])
        return page
