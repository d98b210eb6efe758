"""The file of the encrypted store: JSON whose values are sealed, each for its place.

    {"format": 1, "key": "<id of the key>", "secrets": [
        {"namespace": "default", "name": "api_key", "updated_at_ms": 1795273200000, "nonce": "...", "sealed": "..."}]}

Sealed is AES-256-GCM with a random nonce of 96 bits; format, namespace and name are its associated data, so that a
value cannot be put in another's place. Names and times are readable, values are not.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from secrets import token_bytes
from typing import Any, NamedTuple

from hostd.plugin import HostdError, Kind, dump_json, parse_json
from hostd_builtin.secrets.keys import Key
from hostd_builtin.secrets.settings import NAME, NAMESPACE, unusable

FORMAT = 1
NONCE_BYTES = 12
SECRETS_MAX = 10_000

Place = tuple[str, str]  # namespace, name


class Sealed(NamedTuple):
    """A value nobody can read without the key."""

    updated_at_ms: int
    nonce: bytes
    data: bytes


class Vault(NamedTuple):
    """What the file holds."""

    key_id: str
    secrets: dict[Place, Sealed]


def seal(key: Key, place: Place, value: str, *, now_ms: int) -> Sealed:
    """Return a value as it is kept. Raises PLUGIN_FAILED where the package is missing."""
    nonce = token_bytes(NONCE_BYTES)
    return Sealed(now_ms, nonce, _cipher(key).encrypt(nonce, value.encode(), _bound(place)))


def unseal(key: Key, place: Place, sealed: Sealed, path: Path) -> str:
    """Return a value. Raises SECRETS_UNUSABLE where it was changed or put in another's place."""
    from cryptography.exceptions import InvalidTag

    try:
        data: bytes = _cipher(key).decrypt(sealed.nonce, sealed.data, _bound(place))
        return data.decode()
    except (InvalidTag, ValueError):
        raise unusable(path, f"the value of {place[1]} in {place[0]} is damaged; set it again") from None


def _bound(place: Place) -> bytes:
    return b"\0".join((b"hostd secret", str(FORMAT).encode(), place[0].encode(), place[1].encode()))


def _cipher(key: Key) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        message = "secrets.store needs the package cryptography: install hostd[secrets]"
        raise HostdError(Kind.MISSING, "PLUGIN_FAILED", message) from None
    return AESGCM(key.material)


def vault_text(vault: Vault) -> bytes:
    """Return the file's content."""
    secrets = [
        {
            "namespace": namespace,
            "name": name,
            "updated_at_ms": sealed.updated_at_ms,
            "nonce": base64.b64encode(sealed.nonce).decode(),
            "sealed": base64.b64encode(sealed.data).decode(),
        }
        for (namespace, name), sealed in sorted(vault.secrets.items())
    ]
    return dump_json({"format": FORMAT, "key": vault.key_id, "secrets": secrets}) + b"\n"


def parse_vault(path: Path, data: bytes) -> Vault:
    """Return what a file holds. Raises SECRETS_UNUSABLE naming what is wrong with it."""
    try:
        found: Any = parse_json(data)
    except HostdError:
        raise unusable(path, "it is damaged: no JSON; restore it from a backup") from None
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise unusable(path, "it is damaged: no store of secrets; restore it from a backup")
    if found["format"] != FORMAT:
        raise unusable(path, f"its format is {found['format']}; this hostd knows {FORMAT}")
    try:
        secrets = dict(_entry(item) for item in found["secrets"])
        return Vault(str(found["key"]), secrets)
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise unusable(path, "it is damaged: an entry is not whole; restore it from a backup") from None


def _entry(item: dict[str, Any]) -> tuple[Place, Sealed]:
    """Return one entry. Raises KeyError, TypeError, ValueError."""
    place = (item["namespace"], item["name"])
    if not NAMESPACE.fullmatch(place[0]) or not NAME.fullmatch(place[1]):
        raise ValueError("no name")
    nonce, data = (base64.b64decode(item[field], validate=True) for field in ("nonce", "sealed"))
    if len(nonce) != NONCE_BYTES:
        raise ValueError("no nonce")
    return place, Sealed(int(item["updated_at_ms"]), nonce, data)
