"""Components that are not loaded: whether a plugin may still bring one, and what is to be said of it.

A plugin may bring what its id, its manifest or what it said before names; what none names, any may that is starting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hostd.host.found import PluginReport, PluginState

NAMED_MAX = 3
_MESSAGE_MAX = 300
_GOOD = (PluginState.LOADED, PluginState.NEEDS_PROCESS)


def may_come(component: str, plugins: Sequence[PluginReport]) -> bool:
    """Say whether a plugin that is starting may bring a component that nothing loaded provides."""
    named = _named(component, plugins)
    if any(one.state is PluginState.STARTING for one in named):
        return True
    if any(one.state not in _GOOD for one in named):
        return False
    return any(one.state is PluginState.STARTING for one in plugins)


def absence(component: str, plugins: Sequence[PluginReport]) -> str:
    """Return which plugins that are not loaded may have the component, and why they are not; empty for none."""
    missing = [one for one in _named(component, plugins) if one.state not in _GOOD]
    if not missing:
        states = (PluginState.STARTING, PluginState.FAILED, PluginState.QUARANTINED)
        missing = [one for one in plugins if one.state in states]
    return "; ".join(_told(one) for one in missing[:NAMED_MAX])


def _named(component: str, plugins: Iterable[PluginReport]) -> list[PluginReport]:
    domain = component.partition(".")[0]
    return [one for one in plugins if one.id == domain or component in one.expected]


def _told(plugin: PluginReport) -> str:
    about = f"plugin {plugin.id}, which may provide it, is {plugin.state.lower()}"
    return f"{about}: {plugin.message[:_MESSAGE_MAX]}" if plugin.message else about
