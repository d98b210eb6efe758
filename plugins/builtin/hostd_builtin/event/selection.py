"""Which events a subscription takes: by type, source and subject, and by fields of their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hostd.plugin import Event


class Selection:
    """Takes an event when every list that is given names it and every field of `match` equals."""

    def __init__(
        self, types: Sequence[str], sources: Sequence[str], subjects: Sequence[str], match: Mapping[str, Any]
    ) -> None:
        self._types, self._sources, self._subjects = types, sources, subjects
        self._match = [(path.split("."), wanted) for path, wanted in match.items()]

    def takes(self, event: Event) -> bool:
        """Say whether an event is taken."""
        return (
            _named(self._types, event.type)
            and _named(self._sources, event.source)
            and _named(self._subjects, event.subject)
            and all(_equals(_field(event.data, path), wanted) for path, wanted in self._match)
        )


def _named(names: Sequence[str], text: str) -> bool:
    return not names or any(text.startswith(name[:-1]) if name.endswith("*") else text == name for name in names)


def _field(data: Any, path: Sequence[str]) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def _equals(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_same(found, one) for one in wanted) or _same(found, wanted)
    return _same(found, wanted)


def _same(found: Any, wanted: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)
