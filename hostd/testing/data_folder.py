"""What a host of a test finds in its data folder, and the plugins it loads from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hostd.errors.base import invalid
from hostd.host.folders.manifest import FILE_NAME, PLUGIN_ID, read_manifest
from hostd.host.found import Found, Source
from hostd.plugin.process.source import import_folder
from hostd.values.json_text import dump_json


def write_secrets(data: Path, secrets: Mapping[str, str] | None) -> None:
    """Put secrets where a host on the folder finds them."""
    if not secrets:
        return
    file = data / "secrets.yaml"
    file.touch(mode=0o600)
    lines = (f"{name}: {dump_json(value).decode()}\n" for name, value in secrets.items())
    file.write_text("".join(lines), encoding="utf-8")


def found_folder(folder: Path) -> Path:
    """Return a plugin's folder by its own name, whatever it was called (`.`, a link). Raises ARGUMENT_INVALID."""
    found = folder.resolve()
    if not found.is_dir():
        raise invalid("ARGUMENT_INVALID", f"{folder} is no plugin's folder")
    return found


def id_of_folder(folder: Path) -> str:
    """Return the id of the plugin in a folder. Raises ARGUMENT_INVALID where its name is none, and no manifest is."""
    file = folder / FILE_NAME
    if file.exists():
        return read_manifest(file).id
    return checked_id(folder.name.lower().replace("_", "-"))


def checked_id(plugin: str) -> str:
    """Return a plugin's id. Raises ARGUMENT_INVALID."""
    if not re.fullmatch(PLUGIN_ID, plugin):
        message = f"{plugin!r} is no plugin's id: a letter, then letters, digits, `_` and `-`, in lower case"
        raise invalid("ARGUMENT_INVALID", f"{message}. A folder is given as a Path, and may say its id in {FILE_NAME}")
    return plugin


def is_python(folder: Path) -> bool:
    """Say whether the plugin in a folder is written in Python."""
    file = folder / FILE_NAME
    return not file.exists() or read_manifest(file).runtime == "python"


def inside(folder: Path) -> Found:
    """Return the plugin in a folder as one that runs inside the host. Raises ARGUMENT_INVALID where it cannot."""
    folder = found_folder(folder)
    if not is_python(folder):
        message = f"{folder} is not in Python: its process has a clock of its own; mock its actions, or use on_stage"
        raise invalid("ARGUMENT_INVALID", message)
    name = id_of_folder(folder)
    return Found(name, "0", Source.PACKAGE, str(folder), partial(import_folder, folder, name))


def memory_config(config: Mapping[str, Any], plugins: Sequence[str]) -> dict[str, Any]:
    """Return the configuration of a host whose runs a test looks at: in memory, and nothing is pruned.

    Args:
        plugins: ids of those that run inside.
    """
    kept = dict.fromkeys(("runs", "logs", "events", "dedup_keys", "dead_letters", "audit"), "0s")
    given = {name: dict(room) if isinstance(room, Mapping) else room for name, room in config.items()}
    given["journal"] = {**given.get("journal", {}), "store": "memory"}
    given["retention"] = {**kept, **given.get("retention", {})}
    chosen = given.get("plugins", {})
    given["plugins"] = {**chosen, "inline": [*chosen.get("inline", ()), *plugins]}
    return given
