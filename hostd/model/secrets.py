"""A secret is a name until the effect runs: these opaque values stand for it in rendered options."""

from __future__ import annotations

from typing import Any

import msgspec

SECRET_EXTENSION = 1


class SecretRef(msgspec.Struct, frozen=True, gc=False):
    """A whole field that is one secret."""

    name: str


class SecretText(msgspec.Struct, frozen=True):
    """Text joined from parts: plain text or secrets."""

    parts: tuple[str | SecretRef, ...]


def has_secret(value: Any) -> bool:
    """Say whether a rendered value holds a secret anywhere."""
    if isinstance(value, SecretRef | SecretText):
        return True
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return False


def secret_names(value: Any) -> set[str]:
    """Return the names of the secrets a rendered value holds."""
    if isinstance(value, SecretRef):
        return {value.name}
    if isinstance(value, SecretText):
        return {part.name for part in value.parts if isinstance(part, SecretRef)}
    if isinstance(value, dict):
        return set().union(*(secret_names(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(secret_names(item) for item in value))
    return set()


def encode_secret(value: Any) -> msgspec.msgpack.Ext:
    """Encode hook for msgpack: a secret becomes extension 1, a list of parts, each text or [name]."""
    if isinstance(value, SecretRef):
        parts: list[Any] = [[value.name]]
    elif isinstance(value, SecretText):
        parts = [[part.name] if isinstance(part, SecretRef) else part for part in value.parts]
    else:
        raise TypeError(f"{type(value).__name__} cannot be recorded")
    return msgspec.msgpack.Ext(SECRET_EXTENSION, msgspec.msgpack.encode(parts))
