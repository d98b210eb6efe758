"""A plugin in Lua as it is installed: an archive of a few bytes, without an environment."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

from lab import NAMESPACE, Lab

from hostd.model.installs import FOLDER, InstallOrder, InstallView

MANIFEST = """
manifest: 1
id: {plugin}
version: "{version}"
runtime: lua
actions:
  {action}: {{file: act.lua}}
"""


def packed(plugin: str, version: str, *, action: str = "") -> bytes:
    """Return a plugin's folder as it is sent; its one action says the version."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        named = action or f"{plugin}.act"
        archive.writestr("hostd-plugin.yaml", MANIFEST.format(plugin=plugin, version=version, action=named))
        archive.writestr("act.lua", f"return '{version}'")
    return data.getvalue()


async def sent(data: bytes) -> AsyncIterator[bytes]:
    """Send at once."""
    yield data


def order(name: str = "folder") -> InstallOrder:
    """Return an order that accepts everything."""
    return InstallOrder(FOLDER, name, all_permissions=True)


async def install(lab: Lab, data: bytes) -> InstallView:
    """Install it as the owner."""
    return await lab.core.front.installs.install(NAMESPACE, order(), sent(data), principal="owner", local=True)
