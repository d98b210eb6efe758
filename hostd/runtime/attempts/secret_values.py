"""From names to values, at the last moment: providers are asked when an attempt starts, never before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hostd.model.secrets import SecretRef, SecretText, secret_names


class SecretReader(Protocol):
    """Reads one secret of a namespace. Raises HostdError SECRET_MISSING."""

    async def __call__(self, namespace: str, name: str) -> str: ...


async def secret_values(read: SecretReader, namespace: str, rendered: Any) -> dict[str, str]:
    """Return the values of every secret that rendered options name. Raises HostdError SECRET_MISSING."""
    return {name: await read(namespace, name) for name in sorted(secret_names(rendered))}


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
