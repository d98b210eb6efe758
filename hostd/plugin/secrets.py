"""Providers of secrets: where the values behind `${{ secrets.name }}` come from."""

from __future__ import annotations

from hostd.plugin.component import Component


class SecretsProvider(Component):
    """One instance a daemon. Providers are asked in order; the first that knows a name wins."""

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return a secret's value, None when this provider does not know it. Never log it or put it into an error."""
        raise NotImplementedError
