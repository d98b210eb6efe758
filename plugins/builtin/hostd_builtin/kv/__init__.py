"""Values by key: `kv.get`, `kv.put`, `kv.add`, `kv.delete` and `kv.list`, actions over the namespace's durable keys."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.kv.change import Add, Delete, Put
from hostd_builtin.kv.read import Get, List


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the actions."""
    for action in (Get, Put, Add, Delete, List):
        registry.action(action)
