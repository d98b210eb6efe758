"""What a host of a test finds in its data folder, and the plugins it loads from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hostd.errors.base import invalid
from hostd.host.folders.manifest import FILE_NAME, read_manifest
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


def id_of_folder(folder: Path) -> str:
    """Return the id of the plugin in a folder."""
    file = folder / FILE_NAME
    return read_manifest(file).id if file.exists() else folder.name.lower().replace("_", "-")


def is_python(folder: Path) -> bool:
    """Say whether the plugin in a folder is written in Python."""
    file = folder / FILE_NAME
    return not file.exists() or read_manifest(file).runtime == "python"


def inside(folder: Path) -> Found:
    """Return the plugin in a folder as one that runs inside the host. Raises ARGUMENT_INVALID where it cannot."""
    if not folder.is_dir():
        raise invalid("ARGUMENT_INVALID", f"{folder} is no plugin's folder")
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
