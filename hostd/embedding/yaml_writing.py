"""Values as YAML that hostd reads as the same values again."""

from __future__ import annotations

from typing import Any

import yaml

from hostd.definition.nodes import plain_scalar
from hostd.errors.base import HostdError
from hostd.values.json_text import JsonValue

WIDTH = 120
_BREAKS = ("\r", "\x85", "\u2028", "\u2029", "\ufeff")


class _Dumper(yaml.SafeDumper):
    """Quotes what our reader would take for something else than text, and writes no references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))


def _style(data: str) -> str | None:
    if any(sign in data for sign in _BREAKS):
        return '"'
    if "\n" in data:
        return "|"
    try:
        return None if plain_scalar(data, line=0, column=0).kind == "text" else '"'
    except HostdError:  # digits of a number that is too large
        return '"'


_Dumper.add_representer(str, _text)


def yaml_text(value: JsonValue) -> str:
    """Return a document's text, keys in their order."""
    dumped: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return dumped.removesuffix("...\n")
