"""The configuration as an operator may see it: dotted keys, values as text, secrets as ***."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hostd.config.load import Loaded

HIDDEN = "***"
_SECRET_NAME = re.compile(r"passw|secret|token|credential|private|api_?key|dsn", re.IGNORECASE)


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
            lines.append(ShownValue(dotted, _hidden(dotted, value), origins.get(dotted, "default")))


def _hidden(dotted: str, value: Any) -> Any:
    """Hide what is declared secret (pydantic writes stars) and plugin settings named like secrets."""
    if isinstance(value, str) and value and set(value) == {"*"}:
        return HIDDEN
    name = dotted.rpartition(".")[2]
    return HIDDEN if dotted.startswith("plugins.settings.") and _SECRET_NAME.search(name) else value
