"""From the configuration that holds and the one that was read anew to the one that holds next, and what differs.

What is marked reloadable in the models is swapped; everything else waits for a restart and stays as it was.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from hostd.config.load import Loaded
from hostd.config.reference import config_keys, is_room
from hostd.config.rooms import Config, Room, is_live
from hostd.config.shown import shown_value

R = TypeVar("R", bound=Room)


class Change(NamedTuple):
    """One key that is read otherwise than it holds; values as a person writes them, secrets hidden."""

    key: str
    before: Any
    after: Any
    origin: str
    restart_needed: bool


def given_by_program(config: Config) -> Loaded:
    """Return a configuration that no file, variable or flag says: an embedded host's, or a test's."""
    default = Config()
    origins = {key: "program" for key, _ in config_keys() if value_at(config, key) != value_at(default, key)}
    return Loaded(config, origins, None)


def value_at(config: Config, key: str) -> Any:
    """Return the value of a dotted key."""
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def changes_between(held: Loaded, read: Loaded) -> list[Change]:
    """Return every key whose value differs, in the order of the reference."""
    before, after = held.config.model_dump(mode="json"), read.config.model_dump(mode="json")
    found = []
    for key, field in config_keys():
        if value_at(held.config, key) != value_at(read.config, key):
            origin = _origin(key, read.origins)
            shown = (shown_value(key, _in(before, key)), shown_value(key, _in(after, key)))
            found.append(Change(key, *shown, origin, not is_live(field)))
    return found


def next_config(held: Loaded, read: Loaded) -> Loaded:
    """Return what holds after a reload: the values read, but those that need a restart as they were."""
    waiting = {change.key for change in changes_between(held, read) if change.restart_needed}
    origins = {key: origin for key, origin in read.origins.items() if not _below(key, waiting)}
    origins |= {key: origin for key, origin in held.origins.items() if _below(key, waiting)}
    config = _swapped(held.config, read.config)
    return Loaded(config, origins, read.file, read.marks)


def _swapped(held: R, read: R) -> R:
    fields: dict[str, Any] = {}
    for name, field in type(held).model_fields.items():
        if is_room(field):
            fields[name] = _swapped(getattr(held, name), getattr(read, name))
        elif is_live(field):
            fields[name] = getattr(read, name)
    return held.model_copy(update=fields)


def _in(tree: dict[str, Any], key: str) -> Any:
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


def _below(key: str, above: set[str]) -> bool:
    """Say whether a key is one of some, or lies in one (`plugins.settings.http.retries`)."""
    return any(key == one or key.startswith(f"{one}.") for one in above)


def _origin(key: str, origins: dict[str, str]) -> str:
    inside = (origins[name] for name in origins if _below(name, {key}))
    return next(inside, "default")
