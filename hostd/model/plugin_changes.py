"""What a watch of plugins tells."""

from __future__ import annotations

import msgspec

from hostd.model.views import ChangeWord, PluginView


class PluginChange(msgspec.Struct, frozen=True, gc=False):
    """What happened to a plugin, seen through a watch."""

    kind: ChangeWord
    plugin: PluginView


class PluginChanges(msgspec.Struct, frozen=True, gc=False):
    """A batch of changes; without any it is a bookmark. `position`: behind them, empty inside a snapshot."""

    changes: list[PluginChange]
    position: str = ""
    snapshot_end: bool = False
