"""What the host's services take: keys, values, topics, digests. The host and the fakes check the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hostd.errors.base import HostdError, Kind, invalid
from hostd.plugin.services import BLOB_BYTES_MAX, KV_KEY_BYTES_MAX, KV_VALUE_BYTES_MAX
from hostd.values.json_text import INT_MAX, INT_MIN, JsonValue, dump_json

KV_LIST_MAX = 1_000
KV_LIST_BYTES_MAX = 16 * 1024 * 1024
EVENTS_AT_ONCE_MAX = 1_000
TOPICS_AT_ONCE_MAX = 64
TOPIC_CHARS_MAX = 128
_TOPIC = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_key(key: str) -> str:
    """Return a usable key. Raises HostdError KV_KEY_INVALID."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= KV_KEY_BYTES_MAX or "\0" in key:
        message = f"a key has 1 to {KV_KEY_BYTES_MAX} bytes of UTF-8 and no NUL"
        raise invalid("KV_KEY_INVALID", message, key=ascii(key)[:100])
    return key


def kv_text(value: JsonValue) -> bytes:
    """Return a value's JSON text. Raises HostdError PAYLOAD_TOO_LARGE, PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE."""
    text = dump_json(value)
    if len(text) > KV_VALUE_BYTES_MAX:
        message = f"the value has {len(text)} bytes as JSON; {KV_VALUE_BYTES_MAX} are allowed: keep it as a blob"
        raise invalid("PAYLOAD_TOO_LARGE", message)
    return text


def check_listed(size_bytes: int) -> None:
    """Refuse a list whose values are too many bytes together. Raises HostdError PAYLOAD_TOO_LARGE."""
    if size_bytes > KV_LIST_BYTES_MAX:
        message = f"the values hold more than {KV_LIST_BYTES_MAX} bytes together; list fewer at once, by `limit`"
        raise invalid("PAYLOAD_TOO_LARGE", message)


def sum_of(key: str, before: JsonValue, amount: int) -> int:
    """Return a whole number that was added to. Raises HostdError KV_NOT_A_NUMBER, NUMBER_OUT_OF_RANGE."""
    if type(before) is not int:
        message = f"the value of {key[:100]!r} is not a whole number, so nothing can be added to it"
        raise HostdError(Kind.STATE, "KV_NOT_A_NUMBER", message)
    if not INT_MIN <= before + amount <= INT_MAX:
        raise invalid("NUMBER_OUT_OF_RANGE", f"the sum under {key[:100]!r} leaves the range of whole numbers")
    return before + amount


def conflict(key: str, expected: int, version: int) -> HostdError:
    """Return the error for a change that was made upon a version that is not there (any more); 0 is none."""
    found = f"version {version}" if version else "no value"
    message = f"{key[:100]!r} has {found}, not version {expected}; read it again and decide anew"
    return HostdError(Kind.CONFLICT, "KV_CONFLICT", message, details={"version": str(version)})


def check_topic(topic: str) -> str:
    """Return a usable topic. Raises HostdError TOPIC_INVALID."""
    if len(topic) > TOPIC_CHARS_MAX or not _TOPIC.fullmatch(topic):
        message = f"{topic[:140]!r} is no topic: words of letters, digits, `_` and `-`, joined by dots"
        raise invalid("TOPIC_INVALID", f"{message}, at most {TOPIC_CHARS_MAX} characters")
    return topic


def check_topics(topics: Sequence[str]) -> tuple[str, ...]:
    """Return the topics of a subscription: whole ones, `orders.*` for a prefix, `*` for all.

    Raises:
        HostdError: TOPIC_INVALID.
    """
    if isinstance(topics, str) or not 0 < len(topics) <= TOPICS_AT_ONCE_MAX:
        raise invalid("TOPIC_INVALID", f"a subscription names 1 to {TOPICS_AT_ONCE_MAX} topics, in a list")
    for topic in topics:
        if topic != "*":
            check_topic(topic.removesuffix(".*"))
    return tuple(topics)


def covers(topics: Sequence[str], topic: str) -> bool:
    """Say whether a subscription to `topics` sees what is published to `topic`."""
    return any(one in ("*", topic) or (one.endswith(".*") and topic.startswith(one[:-1])) for one in topics)


def covering(topic: str) -> list[str]:
    """Return everything that a subscription can name to see what is published to `topic`; see `covers`."""
    words = topic.split(".")
    return ["*", topic, *(".".join(words[:count]) + ".*" for count in range(1, len(words)))]


def check_digest(digest: str) -> str:
    """Return a blob's digest. Raises HostdError BLOB_MISSING for a text that can be none."""
    if not _DIGEST.fullmatch(digest):
        raise HostdError(Kind.MISSING, "BLOB_MISSING", f"{digest[:80]!r} is no digest of a blob")
    return digest


def blob_too_large() -> HostdError:
    """Return the error for bytes that are more than a blob may hold."""
    return invalid("PAYLOAD_TOO_LARGE", f"a blob holds at most {BLOB_BYTES_MAX} bytes; split it")
