"""The manifest that lies in an installed package, beside the plugin's code; read without importing any of it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from hostd.errors.base import invalid
from hostd.host.folders.manifest import FILE_NAME, Manifest, read_manifest
from hostd.host.folders.provides import provided
from hostd.host.process.launch import Launch


def manifest_names(entry_point: str) -> tuple[str, str]:
    """Return where the manifest of `module[:attr]` may lie, below the folder of packages."""
    module = entry_point.partition(":")[0].strip().replace(".", "/")
    return f"{module}/{FILE_NAME}", f"{module.partition('/')[0]}/{FILE_NAME}"


def packaged_manifest(sites: Iterable[Path | str] | None, entry_point: str, plugin: str) -> Manifest | None:
    """Return the manifest of an installed plugin, None where it has none. Blocks.

    Args:
        sites: the folders to look in; None for where this program imports from.

    Raises:
        HostdError: MANIFEST_INVALID for one with mistakes, or of another plugin.
    """
    file = _file(list(map(str, sites)) if sites is not None else None, entry_point)
    if file is None:
        return None
    manifest = read_manifest(file)
    if manifest.id != plugin or manifest.runtime != "python":
        said = f"{FILE_NAME} says id: {manifest.id}, runtime: {manifest.runtime}"
        message = f"the entry point is called {plugin}, but {said}; they have to be the same, in python"
        raise invalid("MANIFEST_INVALID", message)
    return manifest


def as_the_manifest_says(launch: Launch, manifest: Manifest) -> Launch:
    """Return how a package's plugin is started: it may do what its manifest asks for, and no more."""
    return launch._replace(permissions=manifest.granted, provides=tuple(provided(manifest.provides)))


def _file(sites: list[str] | None, entry_point: str) -> Path | None:
    """Find the package as an import would, also one that is installed in development mode, but import nothing."""
    package = entry_point.partition(":")[0].strip().partition(".")[0]
    try:
        found = find_spec(package) if sites is None else PathFinder.find_spec(package, sites)
    except (ImportError, ValueError):  # it is loaded without having been imported, or its name is none
        return None
    homes = [Path(home).parent for home in (found.submodule_search_locations if found else None) or ()]
    names = manifest_names(entry_point)
    return next((home / name for home in homes for name in names if (home / name).is_file()), None)
