"""Records at rest: what is written is read back, by this build and by later ones."""

from __future__ import annotations

from typing import get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.errors.base import HostdError
from hostd.journal import codec
from hostd.journal.codec import bring_up, decode_plain, decode_records, encode_plain, encode_records
from hostd.model.payload import BlobRef, Value
from hostd.model.records import RECORD_TYPES, AnyRecord, AttemptFailed, AttemptSucceeded, Failure
from hostd.model.secrets import SecretRef, SecretText

FIELDS = {
    int: st.integers(-(2**63), 2**63 - 1),
    dict[str, str]: st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    Value: st.binary(max_size=20) | st.builds(BlobRef, st.binary(max_size=32), st.integers(0, 2**40)),
    Failure: st.builds(Failure, st.text(max_size=5), st.text(max_size=5), details=st.binary(max_size=5)),
    Failure | None: st.none() | st.builds(Failure, st.text(max_size=5), st.text(max_size=5)),
    tuple[str, ...]: st.lists(st.text(max_size=5), max_size=3).map(tuple),
    float: st.floats(0, 1),
}


def any_of(kind: type[AnyRecord]) -> st.SearchStrategy[AnyRecord]:
    """Return a strategy for records of a kind, with every field drawn."""
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in kind.__struct_fields__}
    return st.builds(
        kind, **{name: FIELDS[hint] if hint in FIELDS else st.from_type(hint) for name, hint in hints.items()}
    )


RECORDS = st.lists(st.sampled_from(RECORD_TYPES).flatmap(any_of), max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_records_survive(records: list[AnyRecord]) -> None:
    """Any records come back equal."""
    current = [msgspec.structs.replace(record, ver=1) for record in records]
    assert decode_records(encode_records(current)) == current


def test_values_may_be_bytes_or_references() -> None:
    """An output is JSON text or a reference to a blob, and stays what it was."""
    records = [AttemptSucceeded(step=1, output=BlobRef(b"d" * 32, 40_000)), AttemptSucceeded(step=2, output=b"[1]")]
    assert decode_records(encode_records(records)) == records


def reason_of(body: bytes) -> str:
    """Return why a body cannot be decoded, empty where it can."""
    try:
        decode_records(body)
    except HostdError as error:
        return error.reason
    return ""


@given(st.binary(max_size=60))
def test_garbage_is_named(body: bytes) -> None:
    """Whatever bytes are read, they decode or are named RECORD_CORRUPT or RECORD_TOO_NEW."""
    assert reason_of(body) in ("", "RECORD_CORRUPT", "RECORD_TOO_NEW")


@given(st.data())
def test_a_damaged_row_is_named(data: st.DataObject) -> None:
    """A row with one changed byte decodes or is named; nothing else is raised."""
    records = [AttemptFailed(step=1, failure=Failure("X", "text"), log_tail=("a", "b")), AttemptSucceeded(output=b"{}")]
    body = bytearray(encode_records(records))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert reason_of(bytes(body)) in ("", "RECORD_CORRUPT", "RECORD_TOO_NEW")


@pytest.mark.parametrize(
    "raw",
    [[[250, 1, "whatever"]], [[22, 2, 1, 1, b"", "a new field"]], [[22, 2, "of another type"]], [[22, 1, 0], [23, 9]]],
)
def test_newer_records_are_named(raw: list[list[object]]) -> None:
    """An unknown kind or a higher version is RECORD_TOO_NEW, whatever its fields are."""
    with pytest.raises(HostdError, match="RECORD_TOO_NEW"):
        decode_records(msgspec.msgpack.encode(raw))


def test_fields_that_changed_nothing_are_dropped() -> None:
    """A field appended without a new version is ignored: its absence changes nothing."""
    assert decode_records(msgspec.msgpack.encode([[22, 1, 5, 1, b"{}", "new"]])) == [
        AttemptSucceeded(step=5, output=b"{}")
    ]


def test_old_records_are_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record two versions old passes one pure function a version, and nothing else touches it."""
    upcasts = {
        (22, 1): lambda raw: [raw[0], 2, *raw[2:], "added"],
        (22, 2): lambda raw: [raw[0], 3, *raw[2:], len(raw)],
    }
    assert bring_up([22, 1, 7], versions={22: 3}, upcasts=upcasts) == [22, 3, 7, "added", 4]
    assert bring_up([22, 3, 7], versions={22: 3}, upcasts=upcasts) == [22, 3, 7]
    # and by the whole decoder, for a kind whose version was raised
    body = msgspec.msgpack.encode([[22, 1, 7, 1, b"old"]])
    monkeypatch.setitem(codec.VERSIONS, 22, 2)
    monkeypatch.setitem(codec._VER_OF_TYPE, AttemptSucceeded, 2)
    monkeypatch.setitem(codec.UPCASTS, (22, 1), lambda raw: [raw[0], 2, raw[2], raw[3], b"new"])
    assert decode_records(body) == [AttemptSucceeded(ver=2, step=7, output=b"new")]


def test_every_version_step_has_its_function() -> None:
    """From each version below the newest of a kind an upcast leads on."""
    for kind, newest in codec.VERSIONS.items():
        assert all((kind, version) in codec.UPCASTS for version in range(1, newest))


SECRETS = st.recursive(
    st.text(max_size=5) | st.integers(-5, 5) | st.builds(SecretRef, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(SECRETS)
def test_secrets_survive_as_names(value: object) -> None:
    """Plain values with secrets in them come back with the secrets still opaque."""
    assert decode_plain(encode_plain(value)) == value


def test_a_secret_is_an_extension_and_never_text() -> None:
    """A secret is extension 1 in msgpack; JSON refuses it."""
    text = SecretText(("Bearer ", SecretRef("TOKEN")))
    assert decode_plain(encode_plain({"auth": text})) == {"auth": text}
    assert msgspec.msgpack.decode(encode_plain(text)).code == 1
    for secret in (text, SecretRef("TOKEN")):
        with pytest.raises(TypeError):
            msgspec.json.encode(secret)
    with pytest.raises(HostdError, match="RECORD_CORRUPT"):
        decode_plain(msgspec.msgpack.encode(msgspec.msgpack.Ext(2, b"")))
