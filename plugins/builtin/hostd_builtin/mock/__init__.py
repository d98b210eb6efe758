"""Mock: actions and a trigger that behave, or misbehave, on request: for tests and demonstrations."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.mock.emit import Emit
from hostd_builtin.mock.failing import Big, Fail, Flaky, Raise, Return
from hostd_builtin.mock.fine import Echo, Noop, Progress, Sleep
from hostd_builtin.mock.harmful import Append, Block, Count, Exit, Hang, Thread


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register everything."""
    for action in (
        Noop,
        Echo,
        Sleep,
        Progress,
        Fail,
        Flaky,
        Raise,
        Return,
        Big,
        Exit,
        Hang,
        Block,
        Thread,
        Count,
        Append,
    ):
        registry.action(action)
    registry.trigger(Emit)
