"""Secrets: from the environment, and from a file or folder beside the data."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.secrets.environment import EnvironmentSecrets
from hostd_builtin.secrets.file import FileSecrets


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the providers, in the order they are asked."""
    registry.secrets(EnvironmentSecrets)
    registry.secrets(FileSecrets)
