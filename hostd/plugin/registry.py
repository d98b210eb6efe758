"""What a plugin fills in when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hostd.plugin.action import Action, check_action
from hostd.plugin.component import Component, check_id, options_class, refuse, settings_class
from hostd.plugin.function import ActionFunction
from hostd.plugin.options import Options
from hostd.plugin.secrets import SecretsProvider
from hostd.plugin.trigger import Trigger, check_trigger


@dataclass(frozen=True, slots=True)
class Registration:
    """One component, checked. `kind` is action, trigger or secrets."""

    kind: str
    id: str
    component: type[Any]
    options: type[Options]
    settings: type[Options]

    @property
    def origin(self) -> str:
        """Where the class is defined, `module:Class`."""
        return f"{self.component.__module__}:{self.component.__qualname__}"


class Registry:
    """Collects a plugin's components. Each method refuses what cannot work with HostdError PLUGIN_FAILED."""

    def __init__(self) -> None:
        self.registrations: list[Registration] = []

    def action(self, action: type[Action[Any]] | ActionFunction[..., Any]) -> None:
        """Register an action: a class, or a function with `@action`."""
        component = action.component if isinstance(action, ActionFunction) else action
        self._add("action", component, Action)
        check_action(component)

    def trigger(self, trigger: type[Trigger[Any]]) -> None:
        """Register a trigger class."""
        self._add("trigger", trigger, Trigger)
        check_trigger(trigger)

    def secrets(self, provider: type[SecretsProvider]) -> None:
        """Register a provider of secrets."""
        self._add("secrets", provider, SecretsProvider)
        if provider.get is SecretsProvider.get:
            raise refuse(f"{provider.__qualname__} needs an `async def get(self, name, *, namespace)`")

    def _add(self, kind: str, component: type[Component], base: type[Component]) -> None:
        given: Any = component
        if not (isinstance(given, type) and issubclass(given, base)):
            raise refuse(f"registry.{kind} takes a subclass of hostd.plugin.{base.__name__}, not {given!r:.80}")
        component_id = check_id(component)
        if any(known.kind == kind and known.id == component_id for known in self.registrations):
            raise refuse(f"the {kind} {component_id} is registered twice by one plugin")
        self.registrations.append(
            Registration(kind, component_id, component, options_class(component, base), settings_class(component))
        )
