"""Secrets of a host: which there are, setting and deleting them. Their values are never returned."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.api.convert.checks import check_secret_name, check_secret_value
from hostd.embedding.calls import Calls
from hostd.model.views import SecretSetView, SecretView

SECRETS_MAX = 1_000


class SecretCalls(Calls):
    """The part of a host for secrets."""

    async def secrets(self) -> Sequence[SecretView]:
        """Return secrets by name, the first 1,000, without their values. Raises HostdError SECRETS_UNUSABLE."""
        return await self._front.secrets.list(self.namespace, after="", limit=SECRETS_MAX)

    async def set_secret(self, name: str, value: str | bytes) -> SecretSetView:
        """Set a secret in the folder's store; attempts read it from then on, triggers that read it begin anew.

        Raises:
            HostdError: SECRETS_READ_ONLY where there is no store: in memory; SECRETS_UNUSABLE; ARGUMENT_INVALID, which
                repeats neither.
        """
        text = check_secret_value(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)
        return await self._front.secrets.set(
            self.namespace, check_secret_name(name), text, principal=self.principal, repeat=None
        )

    async def delete_secret(self, name: str) -> None:
        """Delete a secret from the folder's store. Raises HostdError SECRET_MISSING, SECRETS_READ_ONLY."""
        await self._front.secrets.delete(self.namespace, check_secret_name(name), principal=self.principal, repeat=None)
