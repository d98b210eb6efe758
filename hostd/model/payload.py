"""Values at rest: JSON text inside a record, or a reference to a blob."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import msgspec

from hostd.values.limits import OUTPUT_BYTES_MAX as OUTPUT_BYTES_MAX

INLINE_BYTES_MAX = 32 * 1024
DOOR_BYTES_MAX = 1024 * 1024
EVENT_BYTES_MAX = DOOR_BYTES_MAX + 256 * 1024  # a value at the door, its headers and its envelope, escaped as JSON
RUN_BYTES_MAX = 64 * 1024 * 1024
RUN_VALUES_MAX = 10_000
RUN_RECORDS_MAX = 50_000
JSON_TYPE = "application/json"


class BlobRef(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where a value past 32 KiB lies: blake2b-256 of exactly the stored bytes, its size and content type."""

    digest: bytes
    size_bytes: int
    content_type: str = JSON_TYPE


Value: TypeAlias = bytes | BlobRef
"""JSON text (UTF-8, journal form) up to 32 KiB, or a reference. Empty bytes mean: no value."""


def blob_digest(data: bytes) -> bytes:
    """Return the 32-byte digest that names a blob."""
    return hashlib.blake2b(data, digest_size=32).digest()


class Blob(msgspec.Struct, frozen=True, gc=False):
    """Bytes to store beside the records that refer to them."""

    digest: bytes
    data: bytes
    content_type: str = JSON_TYPE


def to_blob(data: bytes) -> tuple[Value, Blob | None]:
    """Return how to record JSON text, and the blob to store beside it, if it is past 32 KiB."""
    if len(data) <= INLINE_BYTES_MAX:
        return data, None
    digest = blob_digest(data)
    return BlobRef(digest, len(data)), Blob(digest, data)


def value_size_bytes(value: Value) -> int:
    """Return the size of the JSON text, wherever it lies."""
    return len(value) if isinstance(value, bytes) else value.size_bytes
