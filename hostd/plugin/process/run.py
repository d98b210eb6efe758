"""From a process's task to its end: import the plugin, construct what is shared, serve; or tell why it is broken."""

from __future__ import annotations

import asyncio
from functools import partial

from hostd.errors.base import HostdError, Kind
from hostd.plugin.guard import Fault, plugin_traceback
from hostd.plugin.loading import Loaded, load, summary
from hostd.plugin.process.birth import Birth
from hostd.plugin.process.child import Child, say, watch_for_the_end
from hostd.plugin.process.source import import_plugin

SERVED = ("action", "trigger")


async def serve(birth: Birth) -> int:
    """Serve a plugin; return the exit code. One that cannot be loaded says so to the host, and is done."""
    return await _child(birth).serve()


async def serve_together(births: list[Birth]) -> int:
    """Serve several plugins, each loaded and connected by itself; return when the last has gone."""
    children = [_child(birth) for birth in births]
    watch_for_the_end(children)
    return max(await asyncio.gather(*(child.serve(watched=False) for child in children)))


def _child(birth: Birth) -> Child:
    try:
        loaded = load(birth.plugin, partial(import_plugin, birth))
        if loaded.broken is None:
            return Child(birth, _served(loaded))  # constructs the actions, and asks options for their schemas
        broken = loaded.broken
    except HostdError as error:
        broken = Fault(error.reason, error.message)
    except BaseException as error:  # noqa: BLE001 the fence: whatever it is, the host shall list it
        broken = Fault("PLUGIN_FAILED", summary(error), traceback=plugin_traceback(error))
    say(f"plugin {birth.plugin} is broken: {broken.reason}: {broken.message}")
    return Child(birth, Loaded(broken=broken))


def _served(loaded: Loaded) -> Loaded:
    """Return what a process can serve. Raises HostdError NOTHING_REGISTERED where that is nothing."""
    served = tuple(one for one in loaded.registrations if one.kind in SERVED)
    if not served:
        kinds = ", ".join(sorted({one.kind for one in loaded.registrations}))
        message = f"it has components of the kind {kinds} only, which run inside the daemon: see plugins.inline"
        raise HostdError(Kind.INVALID, "NOTHING_REGISTERED", message)
    return loaded._replace(registrations=served)
