"""A component's life, step by step: provision and validate, use, close; the same in the daemon and in a process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from hostd.errors.base import HostdError, Kind
from hostd.plugin.component import Component
from hostd.plugin.context import ProvisionContext
from hostd.plugin.guard import PLUGIN_ERRORS, plugin_traceback

PROVISION_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0
ComponentT = TypeVar("ComponentT", bound=Component)
_log = logging.getLogger("hostd.plugin.life")


async def provision(component: Component, context: ProvisionContext) -> None:
    """Provision and validate; a component that fails is closed.

    Raises:
        HostdError: PLUGIN_FAILED (UNAVAILABLE: the next try may succeed), or what the component raised of hostd's own.
            Steering exceptions of triggers pass as they are.
    """
    try:
        async with asyncio.timeout(PROVISION_TIMEOUT_S):
            await component.provision(context)
        component.validate()
    except BaseException:
        await close(component)
        raise


async def close(component: Component) -> None:
    """Close a component; what goes wrong is logged, for nobody can do anything about it."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await component.close()
    except PLUGIN_ERRORS as error:  # the fence: closing must reach every component
        _log.warning("close_failed component=%s\n%s", getattr(component, "id", "?"), plugin_traceback(error))


def provision_failure(component_id: str, error: BaseException) -> HostdError:
    """Return the error for a component that could not be provisioned."""
    if isinstance(error, HostdError):
        return error
    if isinstance(error, TimeoutError):
        text = f"provision took longer than {PROVISION_TIMEOUT_S:g} s"
    elif isinstance(error, ImportError):
        text = f"{error}: install what the plugin's README names"
    else:
        text = f"{type(error).__name__}: {error}"
    return HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", f"{component_id} could not be provisioned: {text}"[:2_000])


@asynccontextmanager
async def alive(component: ComponentT, context: ProvisionContext) -> AsyncIterator[ComponentT]:
    """Provision a component of one's own (a trigger), hand it out, and close it whatever happens.

    Exceptions of provision pass as they are: `guard.verdict_of` reads them.
    """
    await provision(component, context)
    try:
        yield component
    finally:
        await close(component)
