"""The one hook. pluggy registers, once, at load; a run never goes through a hook."""

from __future__ import annotations

import pluggy

from hostd.plugin.registry import Registry

PROJECT = "hostd"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def hostd_register(registry: Registry) -> None:
    """Register the plugin's components; called once, must have no other effect."""
