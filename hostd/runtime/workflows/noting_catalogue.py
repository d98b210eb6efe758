"""A catalogue that remembers what was looked for in it and is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hostd.definition.ports import Catalogue, ComponentInfo

Find = Callable[[str], ComponentInfo | None]


class NotingCatalogue:
    """What is loaded at one moment; `missing` are the ids of components that a document names beyond that.

    A trigger that stands where an action belongs, or the other way round, is not missing: to wait for it would be for
    nothing.
    """

    def __init__(self, loaded: Catalogue) -> None:
        self.missing: set[str] = set()
        self._loaded = loaded

    def action(self, component_id: str) -> ComponentInfo | None:
        """Return an action, None when nothing loaded provides it."""
        return self._noted(component_id, self._loaded.action(component_id), self._loaded.trigger)

    def trigger(self, component_id: str) -> ComponentInfo | None:
        """Return a trigger plugin, None when nothing loaded provides it."""
        return self._noted(component_id, self._loaded.trigger(component_id), self._loaded.action)

    def _noted(self, component_id: str, found: ComponentInfo | None, other: Find) -> ComponentInfo | None:
        if found is None and other(component_id) is None:
            self.missing.add(component_id)
        return found

    def action_ids(self) -> Iterable[str]:
        """Return the ids of all actions."""
        return self._loaded.action_ids()

    def trigger_ids(self) -> Iterable[str]:
        """Return the ids of all trigger plugins."""
        return self._loaded.trigger_ids()

    def absence(self, component_id: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        return self._loaded.absence(component_id)
