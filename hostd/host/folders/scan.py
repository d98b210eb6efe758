"""The folders in `plugins_dir`: which there are, whether they have changed, and what plugin each is."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.host.folders.manifest import FILE_NAME, PLUGIN_ID, Manifest, read_manifest
from hostd.host.folders.provides import provided
from hostd.host.process.launch import CHILD_MODULE, PERMISSIONS, Launch

FILES_MAX = 10_000
BYTES_MAX = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
FOLDERS_MAX = 1_000
_SKIPPED = frozenset({"__pycache__", "node_modules", ".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
Signature = tuple[tuple[str, int, int], ...]  # path, size, time of each file


class PluginFolder(NamedTuple):
    """A folder that is a plugin. `launch` is None for one in Lua, which runs in the script workers."""

    id: str
    version: str
    path: Path
    manifest: Manifest | None
    launch: Launch | None
    digest: str


def folders_in(plugins_dir: Path) -> dict[str, Signature]:
    """Return the plugin folders that are there, and what tells a change of each; none where that is unseen. Blocks."""
    try:
        return look_into(plugins_dir)
    except OSError:
        return {}


def look_into(plugins_dir: Path) -> dict[str, Signature]:
    """Return the same. Raises OSError where it cannot be seen."""
    with os.scandir(plugins_dir) as entries:
        names = sorted(entry.name for entry in entries if _may_be_plugin(entry))[:FOLDERS_MAX]
    return {name: tuple(_files(plugins_dir / name)) for name in names}


def _may_be_plugin(entry: os.DirEntry[str]) -> bool:
    """Dotted and underscored names are for whoever copies a folder in before it is whole."""
    try:
        return entry.is_dir() and not entry.name.startswith((".", "_"))
    except OSError:  # a link that leads to itself
        return False


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    count = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(files):
            if name.endswith((".pyc", "~", ".swp")):
                continue
            path = Path(root) / name
            try:
                found = path.lstat()
            except OSError:
                continue
            yield path.relative_to(folder).as_posix(), found.st_size, found.st_mtime_ns
            count += 1
            if count >= FILES_MAX:
                return


def read_folder(folder: Path) -> PluginFolder:
    """Return what plugin a folder is. Blocks.

    Raises:
        HostdError: MANIFEST_INVALID, PLUGIN_FAILED.
    """
    try:
        return _read_folder(folder)
    except OSError as error:  # a folder that we may not enter
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{folder} cannot be read: {error}") from None


def _read_folder(folder: Path) -> PluginFolder:
    file = folder / FILE_NAME
    manifest = read_manifest(file) if file.exists() else None
    digest = content_digest(folder)
    if manifest is None:
        return _bare(folder, digest)
    if manifest.digest and manifest.digest != digest:
        message = f"{folder.name}: its files have the digest {digest}, its manifest says {manifest.digest}"
        raise HostdError(Kind.INVALID, "MANIFEST_INVALID", message)
    launch: Launch | None = None
    if manifest.runtime != "lua":
        launch = _launch(folder, manifest, digest)._replace(provides=tuple(provided(manifest.provides)))
    return PluginFolder(manifest.id, manifest.version, folder, manifest, launch, digest)


def _bare(folder: Path, digest: str) -> PluginFolder:
    """Return a Python package without a manifest: it may ask for everything, as any installed package may."""
    if not (folder / "__init__.py").exists() and not any(folder.glob("*/__init__.py")):
        message = f"{folder.name} holds neither {FILE_NAME} nor a Python package; `hostd plugin new ID` writes a plugin"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
    plugin_id = folder.name.lower().replace("_", "-").replace(" ", "-")
    if not re.fullmatch(PLUGIN_ID, plugin_id):
        message = f"{plugin_id!r} is no id of a plugin ({PLUGIN_ID}); give it a {FILE_NAME} or another name"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
    return PluginFolder(plugin_id, "0", folder, None, _python(folder, digest, PERMISSIONS), digest)


def _python(folder: Path, digest: str, permissions: frozenset[str]) -> Launch:
    command = (sys.executable, "-m", CHILD_MODULE, "--folder", str(folder.absolute()))
    return Launch(command, permissions=permissions, content=digest)


def _launch(folder: Path, manifest: Manifest, digest: str) -> Launch:
    if manifest.runtime == "python":
        return _python(folder, digest, manifest.granted)
    program = manifest.command[0]
    inside = folder / program
    if "/" in program or inside.exists():
        if not inside.is_file() or not os.access(inside, os.X_OK):
            message = f"{inside} is no program that may be run (chmod +x)"
            raise HostdError(Kind.INVALID, "MANIFEST_INVALID", message)
        program = str(inside.absolute())
    command = (program, *manifest.command[1:])
    return Launch(command, folder=folder.absolute(), permissions=manifest.granted, content=digest)


def content_digest(folder: Path) -> str:
    """Return blake2b-256 (hex) of a folder's files and their names, without the manifest. Blocks.

    Raises:
        HostdError: PLUGIN_FAILED past 256 MiB or 10,000 files, or where a file cannot be read.
    """
    state = hashlib.blake2b(digest_size=32)
    left = BYTES_MAX
    for count, (name, _, _) in enumerate(_files(folder), start=1):
        if count >= FILES_MAX:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{folder} holds {FILES_MAX} files or more")
        if name == FILE_NAME:
            continue
        state.update(name.encode("utf-8", "surrogateescape") + b"\0")
        try:
            digest, size = _file_digest(folder / name, left)
        except OSError as error:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{folder / name} cannot be read: {error}") from None
        left -= size
        if left < 0:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{folder} holds more than {BYTES_MAX >> 20} MiB")
        state.update(digest)
    return state.hexdigest()


def _file_digest(file: Path, bytes_max: int) -> tuple[bytes, int]:
    """Return a file's digest and its size; stops past so many bytes. Pipes and devices are not read: they may not end.

    Raises:
        OSError.
    """
    state, size = hashlib.blake2b(digest_size=32), 0
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            while size <= bytes_max and (chunk := opened.read(CHUNK_BYTES)):
                size += len(chunk)
                state.update(chunk)
    return state.digest(), size
