"""From names to values, at the last moment: providers are asked when an attempt starts, never before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hostd.errors.base import HostdError, Kind
from hostd.model.secrets import SecretRef, SecretText, secret_names


class Provider(Protocol):
    """Somewhere secrets are kept."""

    async def get(self, name: str, *, namespace: str) -> str | None:
        """Return a secret's value, None when it is not here."""
        ...


class SecretValues:
    """Asks providers in order; the first that has a name gives its value."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = tuple(providers)

    async def get(self, namespace: str, name: str) -> str:
        """Return one value. Raises HostdError SECRET_MISSING."""
        for provider in self._providers:
            value = await provider.get(name, namespace=namespace)
            if value is not None:
                return value
        message = f"there is no secret `{name}`; set HOSTD_SECRET_{name.upper()} or add it to the secrets file"
        raise HostdError(Kind.MISSING, "SECRET_MISSING", message, details={"secret": name})

    async def values(self, namespace: str, rendered: Any) -> dict[str, str]:
        """Return the values of every secret that rendered options name."""
        return {name: await self.get(namespace, name) for name in sorted(secret_names(rendered))}


def resolve(rendered: Any, values: Mapping[str, str]) -> Any:
    """Return rendered options with the secrets' values in place of their names."""
    if isinstance(rendered, SecretRef):
        return values[rendered.name]
    if isinstance(rendered, SecretText):
        return "".join(part if isinstance(part, str) else values[part.name] for part in rendered.parts)
    if isinstance(rendered, dict):
        return {key: resolve(item, values) for key, item in rendered.items()}
    if isinstance(rendered, list):
        return [resolve(item, values) for item in rendered]
    return rendered
