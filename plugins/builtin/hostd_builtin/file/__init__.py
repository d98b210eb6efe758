"""Files within the operator's roots: `file.watch`, and actions that read, write, list, delete, copy and move."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.file.delete import Delete
from hostd_builtin.file.listing import List
from hostd_builtin.file.read import Read
from hostd_builtin.file.transfer import Copy, Move
from hostd_builtin.file.watch import Watch
from hostd_builtin.file.write import Write


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the trigger and the actions."""
    registry.trigger(Watch)
    for action in (Read, Write, List, Delete, Copy, Move):
        registry.action(action)
