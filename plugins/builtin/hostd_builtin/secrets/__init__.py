"""Secrets: from the environment, from files, from systemd, and from an encrypted store."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.secrets.credentials import CredentialsSecrets
from hostd_builtin.secrets.environment import EnvironmentSecrets
from hostd_builtin.secrets.file import FileSecrets
from hostd_builtin.secrets.store import StoreSecrets


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the providers, in the order they are asked."""
    registry.secrets(EnvironmentSecrets)
    registry.secrets(CredentialsSecrets)
    registry.secrets(FileSecrets)
    registry.secrets(StoreSecrets)
