"""Values made into other values: `transform.apply` (a list of operations) and `transform.jq`."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.transform.apply import Apply
from hostd_builtin.transform.jq import Jq


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the actions."""
    registry.action(Apply)
    registry.action(Jq)
