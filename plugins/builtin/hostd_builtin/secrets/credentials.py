"""`secrets.credentials`: what systemd hands to the service, `LoadCredential=` and its kin, one file a secret."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hostd.plugin import HostdError, Kind, SecretInfo, SecretsProvider
from hostd_builtin.secrets.keys import CREDENTIALS_VARIABLE
from hostd_builtin.secrets.private_files import NotPrivateError, read_private
from hostd_builtin.secrets.settings import NAME, NAMESPACE, SECRET_BYTES_MAX


def file_name(name: str, namespace: str) -> str:
    """Return the credential's name: the secret's in `default`, `<namespace>.<name>` in others."""
    return name if namespace == "default" else f"{namespace}.{name}"


class CredentialsSecrets(SecretsProvider):
    """Reads `$CREDENTIALS_DIRECTORY/<name>`, `<namespace>.<name>` outside `default`; systemd keeps others out."""

    id, since, stability = "secrets.credentials", "0.1", "stable"

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return a credential's text, without its last line break. Raises HostdError CONFIG_INVALID."""
        folder = os.environ.get(CREDENTIALS_VARIABLE)
        if not folder or not NAME.fullmatch(name) or not NAMESPACE.fullmatch(namespace):
            return None
        return await asyncio.to_thread(_read, Path(folder) / file_name(name, namespace))

    async def names(self, *, namespace: str = "default") -> list[SecretInfo]:
        """Return the credentials that can be secrets of the namespace."""
        folder = os.environ.get(CREDENTIALS_VARIABLE)
        return await asyncio.to_thread(_names, Path(folder), namespace) if folder else []


def _read(path: Path) -> str | None:
    try:
        found = read_private(path, most_bytes=SECRET_BYTES_MAX, check_mode=False)
        return None if found is None else found[1].decode().removesuffix("\n").removesuffix("\r")
    except NotPrivateError as error:
        why = str(error)
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    raise HostdError(Kind.INVALID, "CONFIG_INVALID", f"{path} cannot be used: {why}")


def _names(folder: Path, namespace: str) -> list[SecretInfo]:
    prefix = "" if namespace == "default" else f"{namespace}."
    try:
        found = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [SecretInfo(name.removeprefix(prefix)) for name in found if _is_secret(name, prefix)]


def _is_secret(file: str, prefix: str) -> bool:
    return file.startswith(prefix) and NAME.fullmatch(file.removeprefix(prefix)) is not None
