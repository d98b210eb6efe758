"""A plugin before and after loading: where it comes from, and what became of it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.host.process.launch import Launch

LISTING = "components.json"
"""What a built-in plugin's folder says of its components without being imported (late.py)."""


class Source(enum.StrEnum):
    """Where a plugin comes from: PACKAGE is of the daemon's environment, INSTALLED has one of its own."""

    BUILT_IN = "BUILT_IN"
    PACKAGE = "PACKAGE"
    FOLDER = "FOLDER"
    INSTALLED = "INSTALLED"


class PluginState(enum.StrEnum):
    """What became of a plugin. NEEDS_PROCESS: it was found, and its process was not started yet."""

    LOADED = "LOADED"
    FAILED = "FAILED"
    NEEDS_PROCESS = "NEEDS_PROCESS"
    DENIED = "DENIED"
    DISABLED = "DISABLED"
    STARTING = "STARTING"
    QUARANTINED = "QUARANTINED"


class Found(NamedTuple):
    """A plugin that was found and not imported yet. `origin` says where, for people.

    `load` imports it into the daemon; `launch` starts it in a process of its own, None where that cannot be.
    `listing` is the file that lists the components of one that need not be imported at once (late.py).
    """

    id: str
    version: str
    source: Source
    origin: str
    load: Callable[[], Any]
    launch: Launch | None = None
    listing: Path | None = None


class PluginReport(msgspec.Struct, frozen=True, gc=False):
    """One line of `hostd plugin list`. `components` are `kind id` texts; reason, message and traceback say why not.

    `expected`: ids of components it may come to serve, by its manifest or by what another version of it said.
    """

    id: str
    version: str
    source: Source
    origin: str
    state: PluginState
    api: str = ""
    components: tuple[str, ...] = ()
    reason: str = ""
    message: str = ""
    traceback: str = ""
    isolation: str = "inline"
    permissions: tuple[str, ...] = ()
    expected: frozenset[str] = frozenset()


def report_of(found: Found, state: PluginState, reason: str = "", message: str = "") -> PluginReport:
    """Return what is to be told of a plugin that nothing is known of but where it was found, and its state."""
    about = (found.id, found.version, found.source, found.origin)
    return PluginReport(*about, state, reason=reason, message=message, isolation="")


def left_out(report: PluginReport, fault: HostdError) -> PluginReport:
    """Return what is to be told of a plugin of which another has a component."""
    return msgspec.structs.replace(report, state=PluginState.FAILED, reason=fault.reason, message=fault.message)


def not_started(error: OSError | HostdError) -> HostdError:
    """Return why a plugin does not serve, as an error of ours."""
    if isinstance(error, HostdError):
        return error
    return HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", f"it cannot be started: {error}")


class Choices(msgspec.Struct, frozen=True, gc=False):
    """The operator's choices (`plugins.*` of the configuration).

    Args:
        inline: ids of plugins that may run inside the daemon, beside the built-in ones.
        process: ids of built-in plugins that run in a process of their own like all others.
        thread: ids of plugins that run inside the daemon, on an event loop and in threads of their own.
        allow: when not empty, only these ids load (built-ins too). deny: these never do, whatever allows them.
        disabled: ids that somebody disabled; changes while the daemon runs.
        safe_mode: built-ins only.
        settings: plugin id, or component id, to its settings.
        defaults: keys of `settings` under which nobody wrote anything: there is nothing in them to check at the start.
        groups: ids of plugins that share a process, by the group's name.
        trace: log each call of the registration hook.
    """

    inline: frozenset[str] = frozenset()
    process: frozenset[str] = frozenset()
    thread: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    disabled: Set[str] = frozenset()
    safe_mode: bool = False
    settings: Mapping[str, Any] = {}
    defaults: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = {}
    trace: bool = False

    def refusal(self, found: Found) -> tuple[PluginState, str, str] | None:
        """Return why a plugin is not loaded (state, reason, message), None when it is."""
        if found.id in self.deny:
            return PluginState.DENIED, "PLUGIN_DENIED", "listed in plugins.deny"
        if self.allow and found.id not in self.allow:
            return PluginState.DENIED, "PLUGIN_DENIED", "plugins.allow does not list it"
        if self.safe_mode and found.source is not Source.BUILT_IN:
            return PluginState.DENIED, "PLUGIN_DENIED", "plugins.safe_mode loads built-in plugins only"
        if found.id in self.disabled and not self.inside(found):
            return PluginState.DISABLED, "PLUGIN_DISABLED", "disabled; `hostd plugin enable` lets it serve again"
        if self.outside(found):
            return PluginState.NEEDS_PROCESS, "NEEDS_PROCESS", "it runs in a process of its own"
        return None

    def inside(self, found: Found) -> bool:
        """Say whether a plugin is loaded into the daemon."""
        packaged = found.source in (Source.BUILT_IN, Source.PACKAGE)
        return packaged and not self.outside(found)

    def outside(self, found: Found) -> bool:
        """Say whether a plugin runs outside the daemon."""
        if found.launch is None or found.id in self.thread:
            return False
        if found.id in self.process:
            return True
        return found.source is not Source.BUILT_IN and found.id not in self.inline
