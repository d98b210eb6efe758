"""Records to row bodies and back: msgpack `[[kind, ver, field, ...], ...]`, an element a record.

Reading has a fast way (one typed decode) and a slow one, taken only where the fast one finds something it does not
know: an older `ver` is brought up by one pure function per (kind, ver); a higher `ver` or an unknown kind is
RECORD_TOO_NEW, anything else RECORD_CORRUPT. msgspec drops fields it does not know without a word, so `ver` is looked
at in every record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.model.records import KIND_OF, RECORD_TYPES, AnyRecord, Record
from hostd.model.secrets import SECRET_EXTENSION, SecretRef, SecretText, encode_secret

RawRecord = list[Any]
"""A record as plain values: `[kind, ver, field, ...]`."""

Upcast = Callable[[RawRecord], RawRecord]
"""Takes a record of one (kind, ver) and returns it as ver + 1 (with `raw[1]` raised). Pure."""

UPCASTS: dict[tuple[int, int], Upcast] = {}
"""Keyed by (kind, ver of the input). Nothing has changed since the first release."""

VERSIONS: dict[int, int] = {KIND_OF[kind]: kind.__struct_defaults__[0] for kind in RECORD_TYPES}
"""The `ver` of each kind that this build writes and understands."""

_VER_OF_TYPE: dict[type[Record], int] = {kind: kind.__struct_defaults__[0] for kind in RECORD_TYPES}


def decode_secret(code: int, data: memoryview) -> SecretRef | SecretText:
    """Decode hook for msgpack extension 1: a list of parts, each text or [name]."""
    if code != SECRET_EXTENSION:
        raise ValueError(f"msgpack extension {code} is not known")
    parts = _decode_parts(data)
    if len(parts) == 1 and isinstance(parts[0], list):
        return SecretRef(parts[0][0])
    return SecretText(tuple(SecretRef(part[0]) if isinstance(part, list) else part for part in parts))


_encoder = msgspec.msgpack.Encoder(enc_hook=encode_secret)
_decode_typed = msgspec.msgpack.Decoder(list[AnyRecord], ext_hook=decode_secret).decode
_decode_raw = msgspec.msgpack.Decoder(list[RawRecord], ext_hook=decode_secret).decode
_decode_any = msgspec.msgpack.Decoder(ext_hook=decode_secret).decode
_decode_parts = msgspec.msgpack.Decoder(list[str | list[str]]).decode

encode_records: Callable[[Sequence[Record]], bytes] = _encoder.encode
"""Return the body of one row: the records of one decision, in order."""


def encode_plain(value: Any) -> bytes:
    """Return msgpack of plain values that may hold secrets (they become extension 1, never text)."""
    return _encoder.encode(value)


def decode_plain(data: bytes) -> Any:
    """Return what `encode_plain` was given, secrets included. Raises HostdError RECORD_CORRUPT."""
    try:
        return _decode_any(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise _corrupt(str(error)) from error


def decode_records(body: bytes) -> list[AnyRecord]:
    """Return the records of a row, each at the `ver` of this build.

    Raises:
        HostdError: RECORD_TOO_NEW, RECORD_CORRUPT.
    """
    try:
        records = _decode_typed(body)
    except (msgspec.DecodeError, ValueError):
        return _decode_slowly(body)
    versions = _VER_OF_TYPE
    for record in records:
        if record.ver != versions[type(record)]:
            return _decode_slowly(body)
    return records


def _decode_slowly(body: bytes) -> list[AnyRecord]:
    try:
        raw = _decode_raw(body)
    except (msgspec.DecodeError, ValueError) as error:
        raise _corrupt(str(error)) from error
    known = [bring_up(record, versions=VERSIONS, upcasts=UPCASTS) for record in raw]
    try:
        return _decode_typed(_encoder.encode(known))
    except (msgspec.DecodeError, ValueError) as error:
        raise _corrupt(str(error)) from error


def bring_up(
    record: RawRecord,
    *,
    versions: Mapping[int, int],
    upcasts: Mapping[tuple[int, int], Upcast],
) -> RawRecord:
    """Return a record at the version this build knows.

    Args:
        versions: newest known `ver` by kind.
        upcasts: by (kind, ver), each raising a record by one.

    Raises:
        HostdError: RECORD_TOO_NEW for an unknown kind or a higher ver; RECORD_CORRUPT where it is no record at all.
    """
    if len(record) < 2 or type(record[0]) is not int or type(record[1]) is not int or record[1] < 1:
        raise _corrupt("a record does not begin with kind and version")
    kind = record[0]
    newest = versions.get(kind)
    if newest is None:
        raise _too_new(f"record kind {kind} is not known to this hostd")
    if record[1] > newest:
        raise _too_new(f"record kind {kind} has version {record[1]}; this hostd knows up to {newest}")
    while record[1] < newest:
        record = upcasts[kind, record[1]](record)
    return record


def _corrupt(why: str) -> HostdError:
    return HostdError(Kind.CORRUPT, "RECORD_CORRUPT", f"A row's records cannot be read: {why}")


def _too_new(why: str) -> HostdError:
    return HostdError(
        Kind.CORRUPT,
        "RECORD_TOO_NEW",
        f"{why[0].upper()}{why[1:]}; use the hostd that wrote it.",
    )
