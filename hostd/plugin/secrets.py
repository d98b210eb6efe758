"""Providers of secrets: where the values behind `${{ secrets.name }}` come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hostd.plugin.component import Component

SECRET_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret that a provider has, without its value. `updated_at`: when it was last set, None where nobody knows."""

    name: str
    updated_at: datetime | None = None


class SecretsProvider(Component):
    """One instance a daemon. Providers are asked in order; the first that knows a name wins."""

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return a secret's value, None when this provider does not know it. Never log it or put it into an error."""
        raise NotImplementedError

    async def names(self, *, namespace: str = "default") -> list[SecretInfo]:
        """Return the secrets of a namespace that are there, by name; nothing where the provider cannot list."""
        return []


class WritableSecrets(SecretsProvider):
    """A provider that hostd may change: what `hostd secret set` writes to. The first one that is loaded is used.

    Each method has done its work durably when it returns, or raises and has changed nothing. Calls may come at the same
    time.
    """

    async def put(self, name: str, value: str, *, namespace: str = "default") -> None:
        """Set a secret.

        Args:
            value: UTF-8 text of 1 to 65,536 bytes. Never log it or put it into an error.

        Raises:
            HostdError: SECRETS_UNUSABLE naming what stands in the way.
        """
        raise NotImplementedError

    async def delete(self, name: str, *, namespace: str = "default") -> bool:
        """Forget a secret; return whether there was one. Raises HostdError SECRETS_UNUSABLE."""
        raise NotImplementedError

    async def rotate_key(self) -> int:
        """Encrypt everything, of all namespaces, with a new key; return how many secrets that were.

        Raises:
            HostdError: SECRETS_UNUSABLE; UNSUPPORTED kind with SECRETS_READ_ONLY where there is no key to change.
        """
        raise NotImplementedError
