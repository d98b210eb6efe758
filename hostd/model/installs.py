"""What is asked for when a plugin is installed, and what came of it."""

from __future__ import annotations

import msgspec

from hostd.model.views import PluginView

WHEEL, FOLDER, REQUIREMENT = "wheel", "folder", "requirement"


class InstallOrder(msgspec.Struct, frozen=True, gc=False):
    """What is installed, and under which conditions.

    Args:
        kind: WHEEL and FOLDER (a zip archive) are sent, REQUIREMENT is fetched by the daemon.
        name: of the wheel's file or of the folder; the requirement itself.
        permissions: what was accepted; a plugin that asks for more is refused.
        all_permissions: whatever it asks for is accepted.
    """

    kind: str
    name: str
    examine_only: bool = False
    permissions: frozenset[str] = frozenset()
    all_permissions: bool = False


class InstallView(msgspec.Struct, frozen=True, gc=False):
    """The plugin that was installed, or would be. `digest`: blake2b-256 (hex) of what was sent or fetched."""

    plugin: PluginView
    replaced_version: str
    digest: str
