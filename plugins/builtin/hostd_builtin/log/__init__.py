"""Log: `log.write`, a line in the run's log and the daemon's."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.log.write import Write


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Write)
