"""Actions of a Lua plugin: each a file, with options that its manifest describes; run in the script workers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import create_model

from hostd.definition.capabilities import CAPABILITIES
from hostd.errors.base import HostdError, Kind
from hostd.host.contexts import ProvisionScope
from hostd.host.folders.manifest import LuaActionAbout, OptionAbout
from hostd.host.folders.scan import PluginFolder
from hostd.host.lifecycle import Shared
from hostd.host.registry import ActionEntry
from hostd.plugin import Action, Duration, Field, Options
from hostd.values.json_text import JsonValue

SOURCE_BYTES_MAX = 1024 * 1024
GRANTS = {
    "net": frozenset({"http.request"}),
    "kv": frozenset(name for name in CAPABILITIES if name.startswith("kv.")),
    "events": frozenset({"event.publish"}),
}
"""Host calls of a script by permission of its manifest."""

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "list": list[Any],
    "map": dict[str, Any],
    "duration": Duration,
    "any": Any,
}


class PluginScript:
    """What the script workers are to run: the same shape as the options of `lua.script`."""

    __slots__ = ("capabilities", "input", "limits", "script")

    def __init__(self, script: str, given: JsonValue, capabilities: frozenset[str]) -> None:
        self.script = script
        self.input = given
        self.limits = None
        self.capabilities = capabilities


class LuaOptions(Options):
    """Base of the options of actions in Lua."""

    script_source: ClassVar[str] = ""
    script_capabilities: ClassVar[frozenset[str]] = frozenset()

    def script_call(self) -> PluginScript:
        """Return the script with these options as its input."""
        given = {name: _plain(getattr(self, name)) for name in type(self).model_fields}
        return PluginScript(self.script_source, given, self.script_capabilities)


def _plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


def lua_entries(folder: PluginFolder, scope: ProvisionScope) -> list[ActionEntry]:
    """Return a Lua plugin's actions. Raises HostdError PLUGIN_FAILED naming what is wrong with one. Blocks."""
    if folder.manifest is None:
        return []
    capabilities: frozenset[str] = frozenset()
    for permission in folder.manifest.granted:
        capabilities |= GRANTS.get(permission, frozenset())
    return [
        _entry(folder, action_id, about, capabilities, scope) for action_id, about in folder.manifest.actions.items()
    ]


def _entry(
    folder: PluginFolder, action_id: str, about: LuaActionAbout, capabilities: frozenset[str], scope: ProvisionScope
) -> ActionEntry:
    options = _options(action_id, about)
    options.script_source = _source(folder.path / about.file)
    options.script_capabilities = capabilities
    action = type(
        "LuaAction",
        (Action,),
        {
            "__doc__": about.description,
            "id": action_id,
            "since": folder.version,
            "stability": "stable",
            "effects": about.effects,
            "executors": ("lua",),
            "codes": about.codes,
        },
    )
    life = Shared(action(), scope)
    life.prepare_at_once()
    origin = f"plugin {folder.id} ({folder.path / about.file})"
    return ActionEntry(action, options, life=life, plugin=folder.id, origin=origin)


def _source(file: Path) -> str:
    try:
        if not file.is_file():  # a pipe or a device may not end
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{file} cannot be read: it is no file")
        with file.open("rb") as opened:
            data = opened.read(SOURCE_BYTES_MAX + 1)
        if len(data) > SOURCE_BYTES_MAX:
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{file} has more than {SOURCE_BYTES_MAX >> 20} MiB")
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"{file} cannot be read: {error}") from None


def _options(action_id: str, about: LuaActionAbout) -> type[LuaOptions]:
    fields: dict[str, Any] = {name: (_type(option), _field(option)) for name, option in about.options.items()}
    try:
        return create_model(f"Options of {action_id}", __base__=LuaOptions, **fields)
    except (TypeError, ValueError, NameError) as error:
        message = f"the options of {action_id} cannot be: {error}"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message[:500]) from None


def _type(option: OptionAbout) -> Any:
    kind = _TYPES[option.type]
    return kind if option.required or option.default is not None else kind | None if kind is not Any else Any


def _field(option: OptionAbout) -> Any:
    sized = option.type in ("string", "list")
    numbers = option.type in ("integer", "number")
    bounds: dict[str, Any] = {}
    if numbers:
        bounds = {"ge": option.min, "le": option.max}
    elif sized:
        bounds = {"min_length": _whole(option.min), "max_length": _whole(option.max)}
    if option.one_of:
        bounds["pattern"] = "^(" + "|".join(map(_literal, option.one_of)) + ")$"
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    examples = [option.example] if option.example is not None else []
    given = {} if option.required else {"default": option.default}
    return Field(description=option.description, examples=examples, **given, **known)


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _literal(text: str) -> str:
    return re.escape(text)
