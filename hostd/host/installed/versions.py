"""From one version on disk to what the host serves of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.host.folders.packaged import packaged_manifest
from hostd.host.folders.provides import provided
from hostd.host.folders.scan import PluginFolder, read_folder
from hostd.host.found import Found, Source
from hostd.host.installed.environment import FOLDER as ENVIRONMENT
from hostd.host.installed.environment import environment_launch, installed_version, make_environment, site_of
from hostd.host.installed.offer import Offer
from hostd.host.installed.shelf import Install
from hostd.host.process.launch import Launch

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Version(NamedTuple):
    """A version that can be served. `folder` is set for one in Lua, which runs in the script workers."""

    found: Found
    folder: PluginFolder | None = None


async def build(offer: Offer, digest: str, home: Path, staging: Path) -> Install:
    """Put what was offered into the folder of a new version, with an environment where it needs one.

    Raises:
        HostdError: INSTALL_FAILED.
        OSError: a disk that is full.
    """
    install = Install(offer.id, offer.version, offer.runtime, tuple(sorted(offer.permissions)), digest)
    if offer.runtime == "python":
        await make_environment(home, offer.requirements, staging)
        install = msgspec.structs.replace(install, python=PYTHON, entry_point=offer.entry_point)
    if offer.entry_point:
        version = await asyncio.to_thread(installed_version, home / ENVIRONMENT, offer.id, offer.entry_point)
        return msgspec.structs.replace(install, version=version)
    await asyncio.to_thread(offer.path.rename, home / offer.path.name)
    return msgspec.structs.replace(install, folder=offer.path.name)


def version_of(install: Install, home: Path) -> Version:
    """Return how a version is served. Blocks. Raises HostdError PLUGIN_FAILED, MANIFEST_INVALID."""
    if install.python not in ("", PYTHON):
        message = f"it was installed for Python {install.python}, this is {PYTHON}; install it again"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
    permissions = frozenset(install.permissions)
    if install.entry_point:
        launch = environment_launch(
            home, "--entry-point", install.entry_point, permissions=permissions, content=install.digest
        )
        manifest = packaged_manifest([site_of(home / ENVIRONMENT)], install.entry_point, install.id)
        if manifest is not None:
            launch = launch._replace(provides=tuple(provided(manifest.provides)))
        return Version(_found(install, home, launch))
    folder = read_folder(home / install.folder)
    if install.runtime == "python":
        path = str(folder.path.absolute())
        launch = environment_launch(home, "--folder", path, permissions=permissions, content=folder.digest)
        launch = launch._replace(provides=folder.launch.provides if folder.launch is not None else ())
        return Version(_found(install, home, launch))
    return Version(_found(install, home, folder.launch), folder if folder.launch is None else None)


def _found(install: Install, home: Path, launch: Launch | None) -> Found:
    return Found(install.id, install.version, Source.INSTALLED, str(home), _nothing, launch)


def _nothing() -> None:
    """An installed plugin is never imported into the daemon."""
