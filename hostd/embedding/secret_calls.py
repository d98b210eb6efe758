"""Secrets of a host: which there are, setting and deleting them. Their values are never returned."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.api.convert.checks import check_secret_name, check_secret_value
from hostd.api.convert.digests import repeat_of
from hostd.api.tokens import Tokens
from hostd.embedding.calls import Calls
from hostd.model.views import SecretSetView, SecretView

SECRETS_MAX = 1_000


class SecretCalls(Calls):
    """The part of a host for secrets."""

    async def secrets(self) -> Sequence[SecretView]:
        """Return secrets by name, the first 1,000, without their values. Raises HostdError SECRETS_UNUSABLE."""
        return await self._front.secrets.list(self.namespace, after="", limit=SECRETS_MAX)

    async def set_secret(self, name: str, value: str | bytes, *, request_id: str = "") -> SecretSetView:
        """Set a secret in the folder's store; attempts read it from then on, triggers that read it begin anew.

        Raises:
            HostdError: SECRETS_READ_ONLY where there is no store: in memory; SECRETS_UNUSABLE; REQUEST_ID_CONFLICT;
                ARGUMENT_INVALID, which repeats neither.
        """
        given = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        text = check_secret_value(given)
        name = check_secret_name(name)
        repeat = repeat_of(request_id, {"name": name, "value": self._mac_of(given) if request_id else ""})
        return await self._front.secrets.set(self.namespace, name, text, principal=self.principal, repeat=repeat)

    def _mac_of(self, value: bytes) -> str:
        """Return what a repeated request is compared by, which tells nothing of the value."""
        info = self.core.info
        assert info is not None  # noqa: S101 the core is open
        return Tokens(key=info.mac_key, timeline=info.journal_id).mac_of(value)

    async def delete_secret(self, name: str, *, request_id: str = "") -> None:
        """Delete a secret from the folder's store. Raises HostdError SECRET_MISSING, SECRETS_READ_ONLY."""
        name = check_secret_name(name)
        repeat = repeat_of(request_id, {"name": name})
        await self._front.secrets.delete(self.namespace, name, principal=self.principal, repeat=repeat)
