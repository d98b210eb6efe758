"""JSON Schema as a step: `schema.validate`."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.schema.validate import Validate


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Validate)
