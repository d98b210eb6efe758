"""How two documents differ: steps and other keys that were added, removed or changed, by their paths."""

from __future__ import annotations

from collections.abc import Iterator

from hostd.definition.document import load_documents
from hostd.definition.nodes import value_of
from hostd.errors.base import invalid
from hostd.model.views import DifferenceView
from hostd.values.json_text import JsonValue, dump_json

SHOWN_CHARS = 2_000


def document_differences(first: bytes, second: bytes) -> Iterator[DifferenceView]:
    """Yield what is different in the second document, in the order of the first, then what is new.

    Order of keys, comments and the way YAML is written do not count. Raises HostdError DOCUMENT_INVALID for a text
    that is not one document.
    """
    yield from _below((), _read(first), _read(second))


def _read(text: bytes) -> JsonValue:
    documents = load_documents(text)
    if len(documents) != 1:
        raise invalid("DOCUMENT_INVALID", f"one document is compared with one, and there are {len(documents)}")
    value: JsonValue = value_of(documents[0].root)
    return _plain_needs(value)


def _plain_needs(value: JsonValue) -> JsonValue:
    """Write `needs: a` as `needs: [a]`, which says the same."""
    steps = value.get("steps") if isinstance(value, dict) else None
    for step in steps.values() if isinstance(steps, dict) else ():
        if isinstance(step, dict) and isinstance(step.get("needs"), str):
            step["needs"] = [step["needs"]]
    return value


def _below(keys: tuple[str, ...], first: JsonValue, second: JsonValue) -> Iterator[DifferenceView]:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        if dump_json(first) != dump_json(second):
            yield DifferenceView("CHANGED", _path(keys), _step(keys), _text(first), _text(second))
        return
    for key, value in first.items():
        place = (*keys, key)
        if key in second:
            yield from _below(place, value, second[key])
        else:
            yield DifferenceView("REMOVED", _path(place), _step(place), _text(value), "")
    for key, value in second.items():
        if key not in first:
            place = (*keys, key)
            yield DifferenceView("ADDED", _path(place), _step(place), "", _text(value))


def _path(keys: tuple[str, ...]) -> str:
    """Return keys as a path; those that hold a dot or the like stand in brackets."""
    parts = [
        f".{key}" if key.replace("_", "").replace("-", "").isalnum() else f"[{dump_json(key).decode()}]" for key in keys
    ]
    return "".join(parts).removeprefix(".") or "."


def _step(keys: tuple[str, ...]) -> str:
    return keys[1] if len(keys) > 1 and keys[0] in ("steps", "handlers") else ""


def _text(value: JsonValue) -> str:
    text = dump_json(value).decode()
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
