"""`secrets.environment`: variables of the daemon's environment."""

from __future__ import annotations

import os

from hostd.plugin import SecretInfo, SecretsProvider
from hostd_builtin.secrets.settings import NAME

PREFIX = "HOSTD_SECRET_"


def variable(namespace: str, name: str) -> str | None:
    """Return the variable that holds a secret, None where it could be another namespace's secret, too.

    `HOSTD_SECRET_<NAME>` in the namespace `default`, `HOSTD_SECRET_<NAMESPACE>__<NAME>` in others, in upper case with
    `_` for `-`.
    """
    if "__" in name or "_" in namespace or "--" in namespace:
        return None
    where = "" if namespace == "default" else f"{namespace}__"
    return PREFIX + f"{where}{name}".upper().replace("-", "_")


class EnvironmentSecrets(SecretsProvider):
    """Reads the environment each time it is asked."""

    id, since, stability = "secrets.environment", "0.1", "stable"

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return the variable's value; an empty one counts as absent."""
        key = variable(namespace, name)
        return (os.environ.get(key) or None) if key else None

    async def names(self, *, namespace: str = "default") -> list[SecretInfo]:
        """Return the secrets whose variables are set."""
        found = (key.removeprefix(PREFIX).lower() for key, value in os.environ.items() if value)
        names = {name.rpartition("__")[2] for name in found if NAME.fullmatch(name.rpartition("__")[2])}
        return [SecretInfo(name) for name in sorted(names) if os.environ.get(variable(namespace, name) or "")]
