"""Records are for ever: their kinds, fields, defaults and wire form are compared with a committed list."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from hostd.model.records import KIND_NAMES, KIND_OF, RECORD_TYPES, Failure

GOLDEN = Path(__file__).parent / "record_kinds.json"


def described() -> dict[str, list[object]]:
    """Return kind -> [name, [field, default] ...] of every record, and of the parts inside records."""
    kinds: dict[str, list[object]] = {}
    for kind, number in sorted(KIND_OF.items(), key=lambda pair: pair[1]):
        kinds[str(number)] = [KIND_NAMES[number], *_fields(kind)]
    kinds["Failure"] = [*_fields(Failure)]
    return kinds


def _fields(kind: type[msgspec.Struct]) -> list[object]:
    return [[field.name, _default(field)] for field in msgspec.structs.fields(kind)]


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return repr(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else repr(field.default)


def test_record_kinds_are_those_of_the_committed_list():
    """A kind, field or default that changes would make old journals unreadable; only appending is allowed.

    After appending a field with a default, or a new kind, add it at the end of its entry in record_kinds.json.
    """
    assert described() == json.loads(GOLDEN.read_text())


def test_kinds_are_unique_and_named():
    """A tag is never given twice."""
    assert len(set(KIND_OF.values())) == len(RECORD_TYPES) == len(set(KIND_NAMES.values()))
    assert (KIND_NAMES[1], KIND_NAMES[22], KIND_NAMES[9]) == ("RUN_STARTED", "ATTEMPT_SUCCEEDED", "RUN_TIMED_OUT")


def test_the_wire_form_begins_with_kind_and_ver():
    """An array, no names: `[kind, ver, field, ...]`."""
    for kind, number in KIND_OF.items():
        array = msgspec.msgpack.decode(msgspec.msgpack.encode(kind()))
        assert array[:2] == [number, 1]
        assert len(array) == 1 + len(kind.__struct_fields__)
