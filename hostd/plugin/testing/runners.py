"""Running a component through its whole life, as the host does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pluggy

from hostd.plugin import hookspecs
from hostd.plugin.action import Action
from hostd.plugin.component import Component, options_class, settings_class
from hostd.plugin.context import ActionContext
from hostd.plugin.function import ActionFunction
from hostd.plugin.registry import Registry
from hostd.plugin.testing.clock import settle
from hostd.plugin.testing.contexts import FakeActionContext, FakeProvisionContext, FakeTriggerContext
from hostd.plugin.trigger import Trigger
from hostd.values.json_text import JsonValue, normalize


def load_plugin(module: Any) -> Registry:
    """Return what a plugin registers.

    Raises:
        AssertionError: it registered nothing: a forgotten @hookimpl, most of the time.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    registry = Registry()
    manager.hook.hostd_register(registry=registry)
    if not registry.registrations:
        raise AssertionError("the plugin registered nothing; did you forget @hookimpl?")
    return registry


@asynccontextmanager
async def _alive(component: Component, settings: Mapping[str, Any] | None) -> AsyncIterator[None]:
    component.settings = settings_class(type(component)).model_validate(dict(settings or {}))
    try:
        await component.provision(FakeProvisionContext(component=component.id))
        component.validate()
        yield
    finally:
        await component.close()


async def run_action(
    action: type[Action[Any]] | ActionFunction[..., Any],
    options: Mapping[str, Any] | None = None,
    *,
    ctx: ActionContext | None = None,
    settings: Mapping[str, Any] | None = None,
) -> JsonValue:
    """Return the output of one attempt: provision, parse, run (in a thread if it is a plain def), close.

    Raises:
        pydantic.ValidationError: the options do not fit.
        HostdError: the output is no JSON value.
    """
    component = action.component if isinstance(action, ActionFunction) else action
    instance = component()
    async with _alive(instance, settings):
        parsed = options_class(component, Action).model_validate(dict(options or {}))
        context = ctx or FakeActionContext()
        if inspect.iscoroutinefunction(instance.run):
            return normalize(await instance.run(context, parsed))
        return normalize(await asyncio.to_thread(instance.run, context, parsed))


@asynccontextmanager
async def running_trigger(
    trigger: type[Trigger[Any]],
    options: Mapping[str, Any] | None = None,
    *,
    ctx: FakeTriggerContext | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[tuple[FakeTriggerContext, asyncio.Task[None]]]:
    """Run a trigger beside the block, which gets its context and task; turn the context's clock to see events.

    The task is cancelled at the end; what it raised by itself is there to be asked: `task.exception()`.
    """
    context = ctx or FakeTriggerContext(component=trigger.id)
    instance = trigger(options_class(trigger, Trigger).model_validate(dict(options or {})))
    async with _alive(instance, settings):
        task = asyncio.get_running_loop().create_task(instance.run(context), name=f"trigger {trigger.id}")
        await settle()
        try:
            yield context, task
        finally:
            task.cancel()
            await asyncio.wait([task])
