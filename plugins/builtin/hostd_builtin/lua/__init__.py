"""Lua: `lua.script`, run by the host's sandboxed worker processes."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.lua.script import Script


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the action."""
    registry.action(Script)
