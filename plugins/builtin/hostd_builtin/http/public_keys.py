"""Asymmetric keys of Standard Webhooks: Ed25519 (RFC 8032), public keys `whpk_<base64>`, signatures `v1a,<base64>`."""

from __future__ import annotations

import base64
import binascii

from hostd.plugin import HostdError, Kind

PREFIX = "whpk_"
PRIVATE_PREFIX = "whsk_"
KEY_BYTES = 32


def is_public(text: str) -> bool:
    """Say whether a key is the sender's public one, not a shared secret."""
    return text.startswith(PREFIX)


def public_key(text: str) -> bytes:
    """Return the bytes of `whpk_<base64>`. Raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a public key of Standard Webhooks is `{PREFIX}` and the base64 of {KEY_BYTES} bytes")
    return key


def load() -> None:
    """Import what verifies. Raises HostdError PLUGIN_FAILED where the package is missing."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError:
        message = f"signatures by public keys ({PREFIX}...) need the package cryptography: install hostd[webhooks]"
        raise HostdError(Kind.MISSING, "PLUGIN_FAILED", message) from None


def signs(key: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether a signature is one of this key's over the message; about 0.1 ms. After `load`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
