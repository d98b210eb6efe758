"""Loading one plugin into the daemon, as a report."""

from __future__ import annotations

from hostd.host.found import Found, PluginReport, PluginState, Source
from hostd.plugin.loading import Loaded, load
from hostd.plugin.loading import Refused as Refused
from hostd.plugin.registry import Registration


def load_plugin(found: Found, *, trace: bool = False) -> tuple[PluginReport, list[Registration]]:
    """Import a plugin and let it register. Never raises: the report says what went wrong, with its traceback."""
    loaded = load(found.id, found.load, trace=trace, trusted=found.source is Source.BUILT_IN)
    return _report(found, loaded), list(loaded.registrations)


def _report(found: Found, loaded: Loaded) -> PluginReport:
    about = (found.id, found.version, found.source, found.origin)
    broken = loaded.broken
    if broken is None:
        components = tuple(f"{entry.kind} {entry.id}" for entry in loaded.registrations)
        return PluginReport(*about, PluginState.LOADED, loaded.api, components=components)
    return PluginReport(
        *about,
        PluginState.FAILED,
        loaded.api,
        reason=broken.reason,
        message=broken.message,
        traceback=broken.traceback,
    )
