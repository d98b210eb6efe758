"""What a program brings to its host: functions with `@action`, and classes of actions, triggers and secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hostd.host.found import Found, Source
from hostd.plugin import Action, Registry, SecretsProvider, Trigger, hookimpl
from hostd.plugin.component import refuse
from hostd.plugin.function import ActionFunction
from hostd.values.version import VERSION

PLUGIN = "embedded"
"""The plugin they belong to, as lists of plugins show it."""

TAKEN = "functions with @action, or classes of Action, Trigger and SecretsProvider"

Brought = ActionFunction[..., Any] | type[Action[Any]] | type[Trigger[Any]] | type[SecretsProvider]


class Functions:
    """What was brought before the host was opened; afterwards the host has them itself."""

    def __init__(self, brought: Iterable[Brought]) -> None:
        self._brought = list(brought)
        register(Registry(), self._brought)  # what is wrong is told where it is handed in

    def add(self, *brought: Brought) -> None:
        """Bring more. Raises HostdError PLUGIN_FAILED, and takes none of them."""
        register(Registry(), brought)
        self._brought += brought

    def found(self) -> list[Found]:
        """Return them as a plugin, for a host that is opened now; none where nothing was brought."""
        return [as_plugin(self._brought)] if self._brought else []


def as_plugin(brought: Iterable[Brought]) -> Found:
    """Return components as a plugin that loads into this process."""
    holder = _Holder(tuple(brought))
    return Found(PLUGIN, VERSION, Source.PACKAGE, "the program that embeds the host", lambda: holder)


def register(registry: Registry, brought: Iterable[Brought]) -> None:
    """Register components. Raises HostdError PLUGIN_FAILED for what is none."""
    for one in brought:
        given: Any = one
        if isinstance(given, type) and issubclass(given, Trigger):
            registry.trigger(given)
        elif isinstance(given, type) and issubclass(given, SecretsProvider):
            registry.secrets(given)
        elif isinstance(given, ActionFunction) or (isinstance(given, type) and issubclass(given, Action)):
            registry.action(given)
        else:
            raise refuse(f"{one!r:.80} is no action: hand in {TAKEN}")


class _Holder:
    """What a plugin's module is elsewhere."""

    def __init__(self, brought: tuple[Brought, ...]) -> None:
        self._brought = brought

    @hookimpl
    def hostd_register(self, registry: Registry) -> None:
        """Register what was brought."""
        register(registry, self._brought)
