"""`secrets.store`: secrets that `hostd secret set` writes, encrypted in `<data>/secrets.store`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from hostd.plugin import HostdError, Kind, ProvisionContext, SecretInfo, WritableSecrets
from hostd_builtin.secrets.keys import Key, KeyFile, key_file, new_key
from hostd_builtin.secrets.private_files import NotPrivateError, read_private, write_private
from hostd_builtin.secrets.settings import NAME, NAMESPACE, SECRET_BYTES_MAX, SecretsSettings, unusable
from hostd_builtin.secrets.vault_file import SECRETS_MAX, Vault, parse_vault, seal, unseal, vault_text

FILE_BYTES_MAX = 64 * 1024 * 1024
STORE = "secrets.store"


class StoreSecrets(WritableSecrets):
    """Encrypts with AES-256-GCM; the key lies beside the store, where the operator says, or with systemd."""

    id, since, stability = "secrets.store", "0.1", "stable"
    Settings = SecretsSettings

    async def provision(self, ctx: ProvisionContext) -> None:
        """Look at store and key; warn of what keeps them from being used when a secret is asked for."""
        settings: SecretsSettings = self.settings
        self._clock = ctx.clock
        self._path = ctx.data_dir / STORE if ctx.data_dir is not None else None
        self._keys = key_file(settings.key_file, ctx.data_dir) if ctx.data_dir is not None else None
        self._changing = asyncio.Lock()
        self._known: tuple[tuple[int, int, int], Vault] | None = None
        try:
            await asyncio.to_thread(self._check)
        except HostdError as error:
            ctx.log.warning(error.message)

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return a secret's value. Raises HostdError SECRETS_UNUSABLE naming the file, never what is in it."""
        if self._path is None or not NAME.fullmatch(name) or not NAMESPACE.fullmatch(namespace):
            return None
        return await asyncio.to_thread(self._get, name, namespace)

    async def names(self, *, namespace: str = "default") -> list[SecretInfo]:
        """Return what the store has. Raises HostdError SECRETS_UNUSABLE."""
        if self._path is None:
            return []
        vault = await asyncio.to_thread(self._read)
        there = vault.secrets if vault is not None else {}
        return [
            SecretInfo(name, datetime.fromtimestamp(sealed.updated_at_ms / 1000, UTC))
            for (where, name), sealed in sorted(there.items())
            if where == namespace
        ]

    async def put(self, name: str, value: str, *, namespace: str = "default") -> None:
        """Set a secret; the first one makes the key. Raises HostdError SECRETS_UNUSABLE, PLUGIN_FAILED."""
        if not NAME.fullmatch(name) or not NAMESPACE.fullmatch(namespace):
            raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", "a secret's name has a-z, 0-9 and _, a letter first")
        if not value or len(value.encode()) > SECRET_BYTES_MAX:
            raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", f"a secret has 1 to {SECRET_BYTES_MAX} bytes")
        now_ms = round(self._clock.now().timestamp() * 1000)
        async with self._changing:
            await asyncio.to_thread(self._put, (namespace, name), value, now_ms)

    async def delete(self, name: str, *, namespace: str = "default") -> bool:
        """Forget a secret. Raises HostdError SECRETS_UNUSABLE."""
        async with self._changing:
            return await asyncio.to_thread(self._delete, (namespace, name))

    async def rotate_key(self) -> int:
        """Seal everything with a new key. A kill at any moment leaves a store and a key file that fit."""
        async with self._changing:
            return await asyncio.to_thread(self._rotate)

    # -- in a thread

    def _check(self) -> None:
        vault = self._read() if self._path is not None else None
        if vault is not None and vault.secrets:
            key = self._key(vault)
            for place, sealed in vault.secrets.items():
                unseal(key, place, sealed, self._where())

    def _get(self, name: str, namespace: str) -> str | None:
        vault = self._read()
        sealed = vault.secrets.get((namespace, name)) if vault is not None else None
        if vault is None or sealed is None:
            return None
        return unseal(self._key(vault), (namespace, name), sealed, self._where())

    def _put(self, place: tuple[str, str], value: str, now_ms: int) -> None:
        vault = self._read()
        key = self._key(vault) if vault is not None and vault.secrets else self._first_key()
        secrets = dict(vault.secrets) if vault is not None else {}
        if place not in secrets and len(secrets) >= SECRETS_MAX:
            raise unusable(self._where(), f"it holds {SECRETS_MAX} secrets, and no more fit")
        self._write(Vault(key.id, {**secrets, place: seal(key, place, value, now_ms=now_ms)}))

    def _delete(self, place: tuple[str, str]) -> bool:
        vault = self._read() if self._path is not None else None
        if vault is None or place not in vault.secrets:
            return False
        left = {other: sealed for other, sealed in vault.secrets.items() if other != place}
        self._write(Vault(vault.key_id, left))
        return True

    def _rotate(self) -> int:
        vault = self._read() if self._path is not None else None
        if vault is None or not vault.secrets:
            raise HostdError(Kind.STATE, "SECRETS_READ_ONLY", "the store holds no secret; there is no key to change")
        old = self._key(vault)
        plain = {place: unseal(old, place, sealed, self._where()) for place, sealed in vault.secrets.items()}
        new = self._next_key(old)
        sealed = {
            place: seal(new, place, value, now_ms=vault.secrets[place].updated_at_ms) for place, value in plain.items()
        }
        self._write(Vault(new.id, sealed))
        if self._key_file().own:
            self._key_file().write([new])
        return len(sealed)

    def _next_key(self, old: Key) -> Key:
        """Return the key to seal with, durable in front of the old one: the operator's, else a new one."""
        file = self._key_file()
        keys = file.read()
        if keys[0].id != old.id:  # put there by the operator, or left by a rotation that was cut off
            return keys[0]
        new = new_key()
        file.write([new, *keys])
        return new

    # -- files

    def _first_key(self) -> Key:
        keys = self._key_file().read()
        return keys[0] if keys else self._key_file().made()

    def _key(self, vault: Vault) -> Key:
        """Return the key that the store was sealed with. Raises SECRETS_UNUSABLE where it is not there."""
        file = self._key_file()
        keys = file.read()
        for key in keys:
            if key.id == vault.key_id:
                return key
        if not keys:
            raise unusable(file.path, f"the key of {self._where()} is not there; bring key {vault.key_id} back")
        raise unusable(file.path, f"{self._where()} was encrypted with key {vault.key_id}, which it does not hold")

    def _read(self) -> Vault | None:
        """Return what the store holds, None where there is none; read again when the file has changed."""
        path = self._where()
        try:
            found = path.stat()
        except OSError:
            self._known = None
            return None
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._known
        if known is not None and known[0] == mark and not found.st_mode & 0o077:
            return known[1]
        try:
            read = read_private(path, most_bytes=FILE_BYTES_MAX)
        except NotPrivateError as error:
            raise unusable(path, str(error)) from None
        if read is None:
            return None
        vault = parse_vault(path, read[1])
        self._known = ((read[0].st_mtime_ns, read[0].st_size, read[0].st_ino), vault)
        return vault

    def _write(self, vault: Vault) -> None:
        self._known = None
        try:
            write_private(self._where(), vault_text(vault))
        except NotPrivateError as error:
            raise unusable(self._where(), str(error)) from None

    def _where(self) -> Path:
        if self._path is None:
            raise HostdError(
                Kind.UNSUPPORTED, "SECRETS_READ_ONLY", "without a data folder there is no store of secrets"
            )
        return self._path

    def _key_file(self) -> KeyFile:
        self._where()
        assert self._keys is not None  # noqa: S101 it comes with the data folder
        return self._keys
