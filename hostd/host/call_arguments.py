"""The arguments of a question that a plugin's process asks: JSON, read and checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hostd.errors.base import HostdError, invalid
from hostd.plugin import Event
from hostd.plugin.service_rules import EVENTS_AT_ONCE_MAX
from hostd.values.json_text import JsonValue


class Arguments:
    """Reads arguments; each reader raises HostdError ARGUMENT_INVALID naming method and argument."""

    def __init__(self, method: str, given: Mapping[str, JsonValue], known: frozenset[str]) -> None:
        self._method = method
        self._given = given
        unknown = sorted(set(given) - known)
        if unknown:
            raise self.refused(unknown[0][:60], f"is unknown; there are {', '.join(sorted(known)) or 'none'}")

    def refused(self, name: str, why: str) -> HostdError:
        """Return the error for an argument."""
        return invalid("ARGUMENT_INVALID", f"{self._method}: {name} {why}")

    def value(self, name: str) -> JsonValue:
        """Return what must be there, whatever it is."""
        if name not in self._given:
            raise self.refused(name, "is missing")
        return self._given[name]

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.value(name) if default is None else self._given.get(name, default)
        if not isinstance(value, str):
            raise self.refused(name, "is not a text")
        return value

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number within bounds."""
        value = self.optional_number(name, low=low, high=high)
        return default if value is None else value

    def optional_number(self, name: str, *, low: int, high: int) -> int | None:
        """Return a whole number within bounds, None where none or null is given."""
        value = self._given.get(name)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            raise self.refused(name, f"is not a whole number from {low} to {high}")
        return value

    def duration(self, name: str, *, high_ms: int) -> timedelta | None:
        """Return milliseconds as a duration."""
        value = self.optional_number(name, low=1, high=high_ms)
        return None if value is None else timedelta(milliseconds=value)

    def items(self, name: str, most: int) -> list[JsonValue]:
        """Return a list."""
        value = self.value(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.refused(name, f"is not a list of at most {most}")
        return value

    def texts(self, name: str, most: int) -> list[str]:
        """Return a list of texts."""
        items = self.items(name, most)
        if not all(isinstance(item, str) for item in items):
            raise self.refused(name, "holds something that is not a text")
        return [str(item) for item in items]

    def headers(self, name: str) -> dict[str, str]:
        """Return a mapping of texts."""
        value = self._given.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self.refused(name, "is not a mapping of texts")
        return {key: str(item) for key, item in value.items()}

    def events(self, name: str) -> list[Event]:
        """Return events."""
        return [
            self._event(f"{name}[{place}]", item) for place, item in enumerate(self.items(name, EVENTS_AT_ONCE_MAX))
        ]

    def _event(self, name: str, item: JsonValue) -> Event:
        if not isinstance(item, dict):
            raise self.refused(name, "is not an object")
        extensions = item.get("extensions") or {}
        texts = {key: item.get(key, "") for key in ("id", "source", "type", "subject", "time")}
        wrong = next((key for key, value in texts.items() if not isinstance(value, str)), "")
        if wrong or not isinstance(extensions, dict):
            raise self.refused(f"{name}.{wrong or 'extensions'}", "has the wrong type")
        try:
            return Event(
                id=str(texts["id"]),
                source=str(texts["source"]),
                type=str(texts["type"]),
                time=datetime.fromisoformat(str(texts["time"])),
                data=item.get("data"),
                subject=str(texts["subject"]),
                extensions=extensions,
            )
        except ValueError as error:
            raise self.refused(name, f"is no event: {error}") from None
