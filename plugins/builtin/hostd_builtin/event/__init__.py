"""Topics: `event.publish`, an action, and `event.subscribe`, a trigger."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.event.publish import Publish
from hostd_builtin.event.subscribe import Subscribe


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action and the trigger."""
    registry.action(Publish)
    registry.trigger(Subscribe)
