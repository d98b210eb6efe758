"""A secret is a name until the effect runs: these opaque values stand for it in rendered options."""

from __future__ import annotations

from typing import Any

import msgspec

SECRET_EXTENSION = 1


class _Opaque:
    """A value no encoder knows by itself (a Struct or dataclass would be written out as text by any of them)."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._value == self._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r})"


class SecretRef(_Opaque):
    """A whole field that is one secret."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)

    @property
    def name(self) -> str:
        """Return the secret's name."""
        return str(self._value)


class SecretText(_Opaque):
    """Text joined from parts: plain text or secrets."""

    __slots__ = ()

    def __init__(self, parts: tuple[str | SecretRef, ...]) -> None:
        super().__init__(parts)

    @property
    def parts(self) -> tuple[str | SecretRef, ...]:
        """Return the parts in order."""
        parts: tuple[str | SecretRef, ...] = self._value
        return parts


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
