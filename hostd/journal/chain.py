"""What makes damage visible: a checksum over each row, and a chain over the batches.

The checksum is zlib's CRC-32: it is in the standard library, as fast as CRC-32C here, and finds the same bursts.
A batch's link is blake2b of the link before it, its number, its row count and its rows' checksums, cut to six bytes.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from zlib import crc32

import msgspec

from hostd.journal.port import KvWrite

_FIXED = struct.Struct("<qqqqqq").pack
_LINK = struct.Struct("<6sqq").pack
_SIGNED = 0x80000000
LINK_BYTES = 6
FIRST_LINK = bytes(LINK_BYTES)


class BatchHead(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the first row of a batch says about it. `rows` counts its rows (1 for a mark)."""

    number: int
    rows: int
    link: bytes


encode_head = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(BatchHead).decode


def row_crc(pos: int, run: int, seq: int, n: int, at_ms: int, epoch: int, text: bytes, body: bytes) -> int:
    """Return the checksum of a row, as a signed 32-bit integer (four bytes in SQLite). `text`: see `row_text`."""
    fixed = _FIXED(pos, run, seq, n, at_ms, epoch)
    return crc32(body, crc32(fixed + text if text else fixed)) - _SIGNED


def row_text(principal: bytes, namespace: bytes | None) -> bytes:
    """Return the texts of a row as one, for its checksum."""
    return principal if namespace is None else principal + b"\0" + namespace


def body_crc(number: int, version: int, run: int, body: bytes) -> int:
    """Return the checksum of a snapshot."""
    return crc32(body, crc32(_LINK(FIRST_LINK, number, version) + run.to_bytes(8, "little"))) - _SIGNED


def key_crc(write: KvWrite) -> int:
    """Return the checksum of a durable key's value."""
    fixed = _LINK(FIRST_LINK, write.version, write.expires_at_ms)
    return crc32(write.value, crc32(fixed + row_text(write.namespace.encode(), write.key.encode()))) - _SIGNED


def next_link(link: bytes, number: int, crcs: list[int]) -> bytes:
    """Return the link of a batch from the link before it."""
    head = _LINK(link, number, len(crcs))
    return hashlib.blake2b(head + array("i", crcs).tobytes(), digest_size=LINK_BYTES).digest()
