"""The key of the encrypted store: where it lies, how it is written, and changing it without a moment of loss.

A key file holds one key a line, 32 bytes in base64; the first encrypts, the others still decrypt. So a new key can be
put in front of the old one before anything is encrypted with it, and the old one goes when nothing needs it any more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path
from secrets import token_bytes
from typing import NamedTuple

from hostd.plugin import HostdError, Kind
from hostd_builtin.secrets.private_files import NotPrivateError, read_private, write_private
from hostd_builtin.secrets.settings import unusable

KEY_BYTES = 32
KEYS_MAX = 8
FILE_BYTES_MAX = 4096
CREDENTIAL = "hostd-secrets-key"
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"


class Key(NamedTuple):
    """A key, and the name by which the store says what it was encrypted with."""

    id: str
    material: bytes

    def __repr__(self) -> str:
        return f"Key({self.id})"


def key_of(material: bytes) -> Key:
    """Return a key with its id: 8 bytes of blake2b, which tell nothing of the key."""
    return Key(hashlib.blake2b(material, digest_size=8, person=b"hostd secretskey").hexdigest(), material)


class KeyFile:
    """Where keys come from. `own`: hostd may write it; a credential of systemd's belongs to the operator."""

    def __init__(self, path: Path, *, own: bool) -> None:
        self.path = path
        self.own = own

    def read(self) -> list[Key]:
        """Return the keys, the one that encrypts first; none where there is no file. Raises SECRETS_UNUSABLE."""
        try:
            found = read_private(self.path, most_bytes=FILE_BYTES_MAX, check_mode=self.own)
        except NotPrivateError as error:
            raise unusable(self.path, str(error)) from None
        if found is None:
            return []
        lines = [line.strip() for line in found[1].splitlines() if line.strip()]
        keys = [self._key(number, line) for number, line in enumerate(lines, 1)]
        if not 0 < len(keys) <= KEYS_MAX:
            raise unusable(self.path, f"it holds no key, or more than {KEYS_MAX}")
        return keys

    def _key(self, number: int, line: bytes) -> Key:
        try:
            material = base64.b64decode(line, validate=True)
        except binascii.Error:
            material = b""
        if len(material) != KEY_BYTES:
            raise unusable(self.path, f"line {number} is no key of {KEY_BYTES} bytes in base64")
        return key_of(material)

    def write(self, keys: list[Key]) -> None:
        """Write the keys. Raises SECRETS_UNUSABLE; SECRETS_READ_ONLY where the file is the operator's."""
        if not self.own:
            message = f"{self.path} belongs to systemd; put a new key on its first line, the old one on its second"
            raise HostdError(Kind.UNSUPPORTED, "SECRETS_READ_ONLY", message)
        text = b"".join(base64.b64encode(key.material) + b"\n" for key in keys)
        try:
            write_private(self.path, text)
        except NotPrivateError as error:
            raise unusable(self.path, str(error)) from None

    def made(self) -> Key:
        """Return a new key that is durable in the file. Raises as `write`."""
        key = new_key()
        self.write([key])
        return key


def new_key() -> Key:
    """Return a key of 32 random bytes."""
    return key_of(token_bytes(KEY_BYTES))


def key_file(named: str, data: Path) -> KeyFile:
    """Return where the key lies: as the operator named it, else a credential of systemd's, else in the data folder."""
    if named:
        return KeyFile(Path(named).expanduser(), own=True)
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    if folder and (Path(folder) / CREDENTIAL).exists():
        return KeyFile(Path(folder) / CREDENTIAL, own=False)
    return KeyFile(data / "secrets.key", own=True)
