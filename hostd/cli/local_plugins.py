"""What the command line says of plugins: those that are here, and what a daemon is asked for where they are not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostd.errors.base import HostdError, Kind

if TYPE_CHECKING:
    from hostd.cli.served_plugins import Daemon
    from hostd.host.component_page import ComponentAbout
    from hostd.host.doctor import Examined


def component_docs(component: str, kind: str, source: str | None, daemon: Daemon | None = None) -> dict[str, Any]:
    """Return a component's page and what it is. Raises PLUGIN_MISSING, and what keeps the plugin from loading."""
    from hostd.cli.printing import yaml_text
    from hostd.host.component_page import component_page, sample_block

    about = _component(component, kind, source, daemon)
    page = component_page(about, yaml_text(sample_block(about)))
    return {"kind": about.kind, "id": about.id, "plugin": about.plugin, "page": page}


def component_sample(component: str, kind: str, source: str | None, daemon: Daemon | None = None) -> dict[str, Any]:
    """Return a step or trigger that uses a component. Raises PLUGIN_MISSING, and what keeps the plugin from loading."""
    from hostd.host.component_page import sample_block

    return sample_block(_component(component, kind, source, daemon))


def _component(component: str, kind: str, source: str | None, daemon: Daemon | None) -> ComponentAbout:
    from hostd.host.component_page import ComponentAbout

    known = _known_here(source)
    found = next((one for one in known or () if one.id == component and kind in ("", one.kind)), None)
    if found is not None:
        return found
    elsewhere = known is None or source is None
    served = daemon.component(component, kind) if daemon is not None and elsewhere else None
    if served is not None and source in (None, served["plugin"]):
        return ComponentAbout(**served)
    raise _no_component(component, kind, known or [], source, daemon.unreached if daemon is not None else "")


def _known_here(source: str | None) -> list[ComponentAbout] | None:
    """Return the components of a folder or plugin, those that are built in for none; None where it is not here."""
    from hostd.host.doctor import about
    from hostd.host.host import PluginHost

    if source is not None:
        examined = _examine(source)
        if examined is None:
            return None
        if not examined.components:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{source} does not load", violations=examined.mistakes)
        return list(examined.components)
    registry = PluginHost().load()
    actions = [about(entry) for entry in registry.actions.values()]
    return actions + [about(entry) for entry in registry.triggers.values()]


def _no_component(
    component: str, kind: str, known: list[ComponentAbout], source: str | None, unreached: str
) -> HostdError:
    import difflib

    close = difflib.get_close_matches(component, [one.id for one in known], n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    where = "among the built-in plugins; --from FOLDER or ID looks into another one" if source is None else source
    where += f"; {unreached}" if unreached else ""
    message = f"nothing provides {kind or 'an action or trigger'} {component[:80]!r}{hint} (looked: {where})"
    return HostdError(Kind.MISSING, "PLUGIN_MISSING", message)


def new_plugin(plugin_id: str, runtime: str, parent: Path) -> list[Path]:
    """Write a starter folder; return its files. Raises ARGUMENT_INVALID."""
    from hostd.host.starters import write_starter

    return write_starter(plugin_id, runtime, parent)


def doctor_plugins(path: str | None, daemon: Daemon) -> list[Examined]:
    """Examine a plugin, or every folder of the configured plugins folder. Raises PLUGIN_MISSING, CONFIG_INVALID."""
    from hostd.config.load import load_config
    from hostd.host.folders.scan import folders_in

    if path is not None:
        return [_examined(path, daemon)]
    config = load_config(flags={}, file=None).config
    home = config.plugins.dir or config.data / "plugins"
    return [_examined(str(home / name), daemon) for name in folders_in(home)]


def _examined(what: str, daemon: Daemon) -> Examined:
    examined = _examine(what)
    if examined is not None:
        return examined
    place = daemon.plugin(what)
    if place is None:
        more = daemon.unreached or "the daemon has none of that name"
        message = f"{what[:200]!r} is neither a folder nor the id of a plugin that is built in or installed; {more}"
        raise HostdError(Kind.MISSING, "PLUGIN_MISSING", message)
    examined = _examine(what, place.source, place.origin)
    if examined is None:
        message = f"the daemon has plugin {what[:80]} from {place.origin[:200]}, which cannot be examined from here"
        raise HostdError(Kind.MISSING, "PLUGIN_MISSING", message)
    return examined


def _examine(what: str, source: str = "", origin: str = "") -> Examined | None:
    """Examine a plugin that is here, or that a daemon on this machine has from somewhere; None where it is not."""
    import logging

    from hostd.host.doctor import examine, examine_served

    logging.getLogger("hostd").setLevel(logging.CRITICAL)  # what would be logged is in the diagnosis
    examined = asyncio.run(examine_served(what, source, Path(origin)) if origin else examine(what))
    if examined is None:
        return None
    if not examined.scripts:
        return examined
    from hostd.cli.local_scripts import check_lua

    faults = check_lua({str(file): file.read_text(encoding="utf-8") for file in examined.scripts})
    return examined._replace(mistakes=examined.mistakes + tuple(faults))
