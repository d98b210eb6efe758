"""Namespaces as the control plane lists them: each that holds something, with how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hostd.host.registry import HostRegistry
from hostd.host.secrets import list_secrets
from hostd.journal.port import Journal, NamespaceRow
from hostd.model.administration import NamespaceView
from hostd.runtime.ring.readers import Readers
from hostd.runtime.triggers.triggers import Triggers

DEFAULT = "default"


class NamespaceShelf:
    """Counts what namespaces hold: of the journal, of triggers that live, of secrets."""

    def __init__(
        self, *, journal: Journal, readers: Readers, triggers: Triggers, registry: Callable[[], HostRegistry]
    ) -> None:
        self._journal = journal
        self._readers = readers
        self._triggers = triggers
        self._registry = registry

    async def list(self, *, after: str, limit: int) -> Sequence[NamespaceView]:
        """Return namespaces with a name past `after`, by name; `default` is always there. Raises SECRETS_UNUSABLE."""
        rows = {row.namespace: row for row in await self._readers.call(self._journal.namespaces)}
        triggers = Counter(live.name[0] for live in self._triggers.everywhere())
        known = {name for name in {DEFAULT, *rows, *triggers} if "/" not in name}  # the daemon's own have one
        names = sorted(name for name in known if name > after)[:limit]
        return [await self._view(name, rows.get(name), triggers[name]) for name in names]

    async def _view(self, name: str, row: NamespaceRow | None, triggers: int) -> NamespaceView:
        secrets = len(await list_secrets(self._registry(), name))
        if row is None:
            return NamespaceView(name, triggers=triggers, secrets=secrets)
        return NamespaceView(name, row.workflows, row.runs, row.open_runs, triggers, secrets)
