"""What the runtime needs of its siblings below; daemon.py hands in what fits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from hostd.definition.plan import Plan
from hostd.journal.port import RunRow


class Plans(Protocol):
    """Compiled plans by version; `get` may block (it reads the journal) and is called in reader threads."""

    def get(self, namespace: str, workflow: str, version: str) -> Plan: ...

    def of_run(self, row: RunRow) -> Plan:
        """Return the plan a run was started with, its version registered or not."""
        ...


class AttemptLog(Protocol):
    """Where lines that attempts logged go; never blocks the loop."""

    def append(self, run_id: str, step: str, attempt: int, lines: Sequence[str]) -> None: ...


class LiveLogs(Protocol):
    """Lines of attempts that run (attempts.in_flight)."""

    def live_lines(self, key: int, step: int, attempt: int, *, skip: int) -> Sequence[str]:
        """Return lines of an attempt behind the first `skip`, without secrets; none where it does not run any more.

        Args:
            step: index in the plan.
        """
        ...


class ActionEntry(Protocol):
    """A loaded action (host.registry).

    While it is not `filled`, only plugin, executors and limit are known; for the rest it is imported, by `look`.
    """

    @property
    def filled(self) -> bool: ...

    def look(self) -> None:
        """Import it where that was not done. Blocks, for a thread."""
        ...

    @property
    def plugin(self) -> str:
        """Id of the plugin that provides it."""
        ...

    @property
    def executors(self) -> Sequence[str]: ...

    @property
    def effects(self) -> str: ...

    @property
    def max_in_flight(self) -> int | None:
        """How many attempts may wait at once, None for no limit of its own."""
        ...

    @property
    def own_loop(self) -> bool:
        """Whether attempts run on an event loop of the plugin's own, in a thread."""
        ...

    @property
    def life(self) -> Any:
        """`ready`, and `await prepare()` where it is not."""
        ...

    @property
    def instance(self) -> Any:
        """The provisioned component; `run(ctx, options)`."""
        ...

    def parse(self, rendered: Any) -> Any:
        """Return the options. Raises HostdError OPTION_INVALID."""
        ...


class Actions(Protocol):
    """The actions that are loaded now."""

    def action(self, component_id: str) -> ActionEntry | None: ...


class Loaded(Actions, Protocol):
    """The same, and what is to come (host.registry)."""

    @property
    def starting(self) -> bool:
        """Whether any plugin is starting."""
        ...

    def may_come(self, component_id: str) -> bool:
        """Say whether a plugin that is starting may bring a component that is not loaded."""
        ...

    def absence(self, component_id: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        ...


class Arrivals(Protocol):
    """Components that are not loaded, while plugins that are starting may bring them (host.coming)."""

    async def settled(self, components: Collection[str]) -> None:
        """Return when each is there, or no plugin that is starting may bring it."""
        ...

    async def at_start(self, components: Collection[str]) -> bool:
        """Wait for what plugins that were found at the start may still bring; say whether to look again."""
        ...

    def absence(self, component: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        ...


class Faults(Protocol):
    """Named points where a test may stop, fail or kill the process."""

    def reached(self, point: str, **facts: Any) -> None: ...
