"""Run ids: made by hostd, unique for ever, and carrying the placement hash that every peer can read.

Text form: 26 characters of base32hex (`0-9a-v`, most significant bit first) =
16 bits placement hash, 48 bits milliseconds, 66 random bits.
Stored form: 17 bytes, rotated to time, random, hash (the 130 bits shifted left by 6), so that an index grows at its
end.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

RUN_ID = re.compile(r"[0-9a-v]{26}")
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32_PAIRS = [a + b for a in _BASE32 for b in _BASE32]
_MASK_66 = (1 << 66) - 1
_MASK_40 = (1 << 40) - 1
SHARD_COUNT = 4096

_encode = msgspec.msgpack.Encoder().encode


def placement_hash(namespace: str, workflow: str, kind: str, text: str) -> int:
    """Return the 16-bit placement hash: the top bits of blake2b-64 of msgpack [namespace, workflow, kind, text].

    Args:
        kind: `key`, else `request`, else `random`: what `text` is.
    """
    digest = hashlib.blake2b(_encode([namespace, workflow, kind, text]), digest_size=8).digest()
    return digest[0] << 8 | digest[1]


def make_run_id(placement: int, time_ms: int, random_66: int) -> str:
    """Return a run id's text form."""
    number = placement << 114 | (time_ms & 0xFFFFFFFFFFFF) << 66 | (random_66 & _MASK_66)
    return _text(number)


def _text(number: int, pairs: list[str] = _PAIRS) -> str:
    """Return 130 bits as 26 characters. Written out, over parts that fit machine words: every start needs it twice."""
    a, b, c = number >> 80, number >> 40 & _MASK_40, number & _MASK_40
    return (
        f"{pairs[a >> 40]}{pairs[a >> 30 & 1023]}{pairs[a >> 20 & 1023]}{pairs[a >> 10 & 1023]}{pairs[a & 1023]}"
        f"{pairs[b >> 30]}{pairs[b >> 20 & 1023]}{pairs[b >> 10 & 1023]}{pairs[b & 1023]}"
        f"{pairs[c >> 30]}{pairs[c >> 20 & 1023]}{pairs[c >> 10 & 1023]}{pairs[c & 1023]}"
    )


def is_run_id(text: str) -> bool:
    """Say whether a text has the form of a run id."""
    return RUN_ID.fullmatch(text) is not None


def _number(run_id: str) -> int:
    return int(run_id, 32)  # base32hex is how Python writes base 32; ids from outside have passed `is_run_id`


def placement_of(run_id: str) -> int:
    """Return the 16-bit placement hash a run id carries."""
    return _number(run_id[:4]) >> 4


def shard_of(run_id: str) -> int:
    """Return the shard, 0 to 4095: the top 12 bits of the placement hash."""
    return placement_of(run_id) >> 4


def created_ms(run_id: str) -> int:
    """Return the wall time in milliseconds a run id carries."""
    return _number(run_id) >> 66 & 0xFFFFFFFFFFFF


def stored_id(run_id: str) -> bytes:
    """Return the 17-byte form whose order is the order of making."""
    number = _number(run_id)
    rotated = (number & ((1 << 114) - 1)) << 16 | number >> 114
    return (rotated << 6).to_bytes(17, "big")


def text_id(stored: bytes) -> str:
    """Return the text form of a stored run id."""
    rotated = int.from_bytes(stored, "big") >> 6
    return _text((rotated & 0xFFFF) << 114 | rotated >> 16)


def idempotency_key(lineage: str, scope: str, step: str, run_pass: int = 0, call: int = 0) -> str:
    """Return the key all tries of one attempt share on all owners: base32 of blake2b-128.

    Args:
        lineage: the first run's id (a retry of a run copies it, a fork makes a new one).
        scope: path of blocks, empty at the top.
        call: index of the host call inside a script, 0 for the attempt itself.
    """
    digest = hashlib.blake2b(_encode([lineage, scope, step, run_pass, call]), digest_size=16).digest()
    return _text(int.from_bytes(digest) << 2, _BASE32_PAIRS)  # 128 bits, filled up to 26 characters
