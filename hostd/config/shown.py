"""The configuration as an operator may see it: dotted keys, values as text, secrets as ***."""

from __future__ import annotations

import re
import typing
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hostd.config.load import Loaded
from hostd.config.reference import is_room
from hostd.config.rooms import Config

HIDDEN = "***"
_SETTINGS = "plugins.settings"
_SECRET_NAME = re.compile(r"passw|secret|token|credential|private_?key|api_?key|dsn|authorization", re.IGNORECASE)
_USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)


class ShownValue(NamedTuple):
    """One line of `hostd config show --origin`."""

    key: str
    value: Any
    origin: str


def shown_values(loaded: Loaded) -> list[ShownValue]:
    """Return every key with its value and origin, in the order of the reference; secrets are hidden."""
    lines: list[ShownValue] = []
    _collect(loaded.config.model_dump(mode="json"), "", lines, loaded.origins)
    return lines


def _collect(tree: dict[str, Any], above: str, lines: list[ShownValue], origins: dict[str, str]) -> None:
    for key, value in tree.items():
        dotted = f"{above}.{key}" if above else key
        if isinstance(value, dict) and value:
            _collect(value, dotted, lines, origins)
        else:
            lines.append(ShownValue(dotted, shown_value(dotted, value), origins.get(dotted, "default")))


def field_of(key: str) -> FieldInfo:
    """Return the field of a dotted key, for one inside `plugins.settings` that of the whole."""
    model: type[BaseModel] = Config
    for part in key.split("."):
        field = model.model_fields[part]
        if not is_room(field):
            break
        model = typing.cast("type[BaseModel]", field.annotation)
    return field


def shown_value(key: str, value: Any) -> Any:
    """Return a value of a dotted key as JSON types, without what is declared secret (pydantic writes stars).

    In plugins' settings, whose models are not known here, what is named like a secret is one, at any depth, and so are
    the name and password of an address.
    """
    if isinstance(value, str) and value and set(value) == {"*"}:
        return HIDDEN
    if key == _SETTINGS:  # plugins' ids are no names of settings: there is one called `secrets`
        return {plugin: _without_secrets([], settings) for plugin, settings in value.items()}
    if key.startswith(f"{_SETTINGS}."):
        return _without_secrets(key.removeprefix(_SETTINGS).split(".")[2:], value)
    return value


def _without_secrets(names: list[str], value: Any) -> Any:
    if value not in (None, "", [], {}) and any(_SECRET_NAME.search(name) for name in names):
        return HIDDEN
    if isinstance(value, dict):
        return {name: _without_secrets([str(name)], item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets([], item) for item in value]
    return _USER_INFO.sub(rf"\1{HIDDEN}@", value) if isinstance(value, str) else value
