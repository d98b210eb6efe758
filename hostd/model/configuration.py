"""The configuration as the doors show it. Values are JSON types as a person writes them; secrets are hidden."""

from __future__ import annotations

import msgspec

from hostd.values.json_text import JsonValue


class ConfigValueView(msgspec.Struct, frozen=True, gc=False):
    """One key. `restart_needed`: another value was read for it, which waits for a restart."""

    key: str
    value: JsonValue
    origin: str
    reloadable: bool = False
    restart_needed: bool = False


class ConfigView(msgspec.Struct, frozen=True, gc=False):
    """What holds. `log_levels`: levels changed since the start, by logger; "" is all without one of their own."""

    values: tuple[ConfigValueView, ...]
    file: str
    log_levels: dict[str, str]


class ConfigChangeView(msgspec.Struct, frozen=True, gc=False):
    """A key that was read otherwise than it held. `restart_needed`: `before` holds still."""

    key: str
    before: JsonValue
    after: JsonValue
    origin: str
    restart_needed: bool


class ReloadedView(msgspec.Struct, frozen=True, gc=False):
    """What a reload found, in the order of the reference; `file` is empty where there is none."""

    changes: tuple[ConfigChangeView, ...]
    file: str
