"""Triggers: they turn the outside into events."""

from __future__ import annotations

import enum
import inspect
from typing import Any, ClassVar, Final, Generic, TypeVar

from hostd.plugin.component import Component, refuse
from hostd.plugin.context import TriggerContext
from hostd.plugin.options import Options
from hostd.plugin.slots import Schedule

OptionsT = TypeVar("OptionsT", bound=Options)


class Instances(enum.StrEnum):
    """How many peers of a cluster run a configured trigger at once."""

    ONE = "ONE"
    EVERY_PEER = "EVERY_PEER"
    PARTITIONS = "PARTITIONS"


ONE: Final = Instances.ONE
EVERY_PEER: Final = Instances.EVERY_PEER
PARTITIONS: Final = Instances.PARTITIONS


class Trigger(Component, Generic[OptionsT]):
    """One instance per configured trigger; its options are `self.options`.

    Attributes:
        instances: ONE (a lease in the cluster), EVERY_PEER (each listens), or PARTITIONS (one per key that
            `partitions` lists, each with a cursor of its own).
        tells_begun: whether `run` says by `ctx.begun()` when it listens. Else it has begun when it is provisioned and
            `run` waits for the first time; until it has begun it is STARTING, and who registers it waits a little.
    """

    instances: ClassVar[Instances] = ONE
    tells_begun: ClassVar[bool] = False

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    def schedule(self) -> Schedule | None:
        """Return the moments at which it fires, None when it does not go by the clock. Pure; called without `run`.

        A preview shows them on the clocks of the option `timezone`, where there is one. A backfill emits for a slot
        what `run` does: an event whose id is `rfc3339(slot)`, with the data `{"slot": id}` and, where there is an
        option `overlap`, that.
        """
        return None

    async def partitions(self, ctx: TriggerContext) -> list[str]:
        """Return the keys of what there is to read now; for `instances = PARTITIONS`, which runs once for each.

        Asked when the trigger begins and every minute from then on: a new key begins, one that is gone is stopped and
        its cursor kept. At most 1,000, each a text of 1 to 200 characters. It may raise what `run` may.
        """
        raise NotImplementedError

    async def run(self, ctx: TriggerContext) -> None:
        """Emit events until cancelled. Returning means: nothing more to come.

        Raises:
            RetryLater, NotConnected, EndOfTrigger, PermanentFailure: steer the host.
                Anything else is restarted with back-off.
        """
        raise NotImplementedError


def check_trigger(trigger: type[Trigger[Any]]) -> None:
    """Raise HostdError PLUGIN_FAILED when the trigger cannot be run."""
    name = trigger.__qualname__
    if trigger.run is Trigger.run or not inspect.iscoroutinefunction(trigger.run):
        raise refuse(f"{name} needs an `async def run(self, ctx)`")
    if not isinstance(trigger.instances, Instances):
        raise refuse(f"{name}.instances is {trigger.instances!r}; it is ONE, EVERY_PEER or PARTITIONS")
    listed = trigger.partitions is not Trigger.partitions
    if trigger.instances is PARTITIONS and not (listed and inspect.iscoroutinefunction(trigger.partitions)):
        raise refuse(f"{name}.instances is PARTITIONS; it needs an `async def partitions(self, ctx)`")
