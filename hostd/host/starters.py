"""Starters: a new plugin's folder, which passes its own test and loads as it is."""

from __future__ import annotations

import re
from pathlib import Path

from hostd.errors.base import HostdError, Kind, invalid
from hostd.plugin.loading import PLUGIN_ID

RUNTIMES = ("python", "lua", "exec")
_TEMPLATES = Path(__file__).with_name("starter_files")


def write_starter(plugin_id: str, runtime: str, parent: Path) -> list[Path]:
    """Write a folder named as the plugin; return its files. Blocks.

    Raises:
        HostdError: ARGUMENT_INVALID for an id that is none, or a folder that is there already.
    """
    if not PLUGIN_ID.fullmatch(plugin_id):
        raise invalid("ARGUMENT_INVALID", f"{plugin_id[:80]!r} is no plugin id; write lower case, such as price-feed")
    folder = parent / plugin_id
    names = _names(plugin_id)
    try:
        folder.mkdir(parents=True)
        written = []
        for template in sorted(path for path in (_TEMPLATES / runtime).rglob("*") if path.is_file()):
            target = folder / _filled(template.relative_to(_TEMPLATES / runtime).as_posix(), names).removesuffix(".txt")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(template.read_text(encoding="utf-8"), names), encoding="utf-8")
            if target.suffix == ".run" or target.name == "plugin":
                target.chmod(0o755)
            written.append(target)
    except FileExistsError:
        raise invalid("ARGUMENT_INVALID", f"{folder} is there already; choose another --dir or id") from None
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}"
        raise HostdError(Kind.UNAVAILABLE, "ARGUMENT_INVALID", message) from None
    return written


def _names(plugin_id: str) -> dict[str, str]:
    module = plugin_id.replace("-", "_")
    title = "".join(part.capitalize() for part in re.split(r"[-_]", plugin_id))
    return {"ID": plugin_id, "MODULE": f"hostd_{module}", "DOMAIN": module, "CLASS": title}


def _filled(text: str, names: dict[str, str]) -> str:
    return re.sub(r"@@([A-Z]+)@@", lambda found: names[found[1]], text)
