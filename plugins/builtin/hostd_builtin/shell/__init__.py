"""Programs on the daemon's machine: `shell.run`, off unless the operator permits it."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.shell.run import Run


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Run)
