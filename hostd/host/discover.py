"""Finding plugins without importing them: built-ins by walking `hostd_builtin`, others by their entry points."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import partial
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import NoReturn

from hostd.errors.base import HostdError
from hostd.host.found import LISTING, Found, Source
from hostd.host.process.launch import python_launch
from hostd.plugin.loading import PLUGIN_ID, Refused
from hostd.values.version import VERSION

BUILT_IN_PACKAGE = "hostd_builtin"
ENTRY_POINT_GROUP = "hostd.plugins"
_NAME = re.compile(r"^Name:[ \t]*(\S+)", re.MULTILINE)


def find_built_in(package: str = BUILT_IN_PACKAGE) -> list[Found]:
    """Return one plugin per folder of the built-in package, by name."""
    home = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(home.__path__) if module.ispkg)
    folder = next(iter(home.__path__), "")
    return [
        Found(
            name,
            VERSION,
            Source.BUILT_IN,
            str(Path(folder) / name),
            partial(importlib.import_module, f"{package}.{name}"),
            python_launch("--entry-point", f"{package}.{name}"),
            Path(folder) / name / LISTING,
        )
        for name in names
    ]


def find_installed(path: list[str] | None = None) -> list[Found]:
    """Return the plugins that installed packages declare in the entry-point group `hostd.plugins`, by id.

    Args:
        path: where to look instead of `sys.path`.
    """
    found: dict[tuple[str, str], Found] = {}
    for point, distribution, version, content in _entry_points(path):
        origin = f"{distribution} {version} ({point.value})"
        about = Found(point.name, version, Source.PACKAGE, origin, point.load)
        if PLUGIN_ID.fullmatch(point.name):  # what is no id is loaded, which refuses it: files are named by ids
            about = _startable(about, point.value, content, path)
        found.setdefault((point.name, origin), about)
    return [found[key] for key in sorted(found)]


def _startable(found: Found, entry_point: str, content: str, path: list[str] | None) -> Found:
    """Return a plugin with how it is started, by its manifest where its package has one; loading a bad one says why."""
    # Imported here: what reads manifests is of no use to who has no such package.
    from hostd.host.folders.packaged import as_the_manifest_says, packaged_manifest

    launch = python_launch("--entry-point", entry_point)._replace(content=content)
    try:
        manifest = packaged_manifest(path, entry_point, found.id)
    except HostdError as error:
        return found._replace(load=partial(_refuse, error))
    return found._replace(launch=as_the_manifest_says(launch, manifest) if manifest is not None else launch)


def _refuse(error: HostdError) -> NoReturn:
    raise Refused(error.reason, error.message)


def _entry_points(path: list[str] | None) -> Iterator[tuple[EntryPoint, str, str, str]]:
    """Yield entry points with their distribution's name, version and content; the first of a name counts."""
    everything = list(distributions() if path is None else distributions(path=path))
    declaring = [ENTRY_POINT_GROUP in (each.read_text("entry_points.txt") or "") for each in everything]
    if not any(declaring):
        return  # without asking for names, which takes reading a file for each
    seen: set[str] = set()
    for distribution, declares in zip(everything, declaring, strict=True):
        name = _name(distribution)
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        if not declares:
            continue
        for point in distribution.entry_points:
            if point.group == ENTRY_POINT_GROUP:
                yield point, name, distribution.version or "0", _content(distribution)


def _content(distribution: Distribution) -> str:
    """Return a digest of its files, as they were installed; nothing where they lie elsewhere and may have changed."""
    record = distribution.read_text("RECORD")
    if not record or '"editable"' in (distribution.read_text("direct_url.json") or ""):
        return ""
    return hashlib.blake2b(record.encode(), digest_size=32).hexdigest()


def _name(distribution: Distribution) -> str:
    """Return its name. Parsing the metadata, which holds a README, of all that is installed would take 50 ms."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    found = _NAME.search(text)
    return found[1] if found else distribution.metadata["Name"] or ""
