"""Email: `email.send`, a message over SMTP."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.email.send import Send


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Send)
