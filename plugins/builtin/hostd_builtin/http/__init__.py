"""HTTP: `http.request`, an action, and `http.webhook`, a trigger."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.http.request import Request
from hostd_builtin.http.webhook import Webhook


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action and the trigger."""
    registry.action(Request)
    registry.trigger(Webhook)
