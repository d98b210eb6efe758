"""Loading one plugin: its own PluginManager inside one guard, so that a broken one silences nobody else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pluggy

from hostd.errors.base import HostdError
from hostd.plugin import hookspecs
from hostd.plugin.api import ANY, API, accepts
from hostd.plugin.guard import LOAD_ERRORS, PLUGIN_ERRORS, Fault, plugin_traceback
from hostd.plugin.registry import Registration, Registry

PLUGIN_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
MESSAGE_CHARS_MAX = 2_000
_log = logging.getLogger("hostd.plugin.loading")


class Refused(Exception):
    """A plugin that cannot be used, in our words: it needs no traceback."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Loaded(NamedTuple):
    """What became of a plugin: what it registered, or why it is broken. `api` is the range it asks for."""

    api: str = ""
    registrations: tuple[Registration, ...] = ()
    broken: Fault | None = None


def load(plugin_id: str, module: Callable[[], Any], *, trace: bool = False, trusted: bool = False) -> Loaded:
    """Import a plugin and let it register. Never raises for what it does.

    Args:
        module: imports it and returns the module, or whatever else holds the hook.
        trusted: build its options when they are first used, not now: for plugins whose tests are ours.
    """
    api = ""
    try:
        if not PLUGIN_ID.fullmatch(plugin_id):
            raise Refused("PLUGIN_FAILED", f"{plugin_id[:80]!r} is no plugin id; write lower case, such as price-feed")
        imported = module()
        api = _check_api(imported)
        registrations = tuple(_register(imported, plugin_id, trace=trace))
        if not trusted:
            _build_options(registrations)
        return Loaded(api, registrations)
    except Refused as refusal:
        return Loaded(api, broken=Fault(refusal.reason, refusal.message))
    except HostdError as error:
        return Loaded(api, broken=Fault(error.reason, error.message, traceback=plugin_traceback(error)))
    except LOAD_ERRORS as error:  # the fence: a plugin may raise anything
        return Loaded(api, broken=Fault("PLUGIN_FAILED", summary(error), traceback=plugin_traceback(error)))


def summary(error: BaseException) -> str:
    """Return the class and text of whatever a plugin raised, bounded."""
    try:
        return f"{type(error).__name__}: {error}"[:MESSAGE_CHARS_MAX]
    except PLUGIN_ERRORS:
        return type(error).__name__


def _check_api(module: Any) -> str:
    """Return the range a plugin asks for (module attribute `api`). Raises Refused when this host does not serve it."""
    wanted = getattr(module, "api", ANY)
    if not isinstance(wanted, str):
        return ANY  # a sub-module that happens to be called api
    try:
        served = accepts(wanted)
    except ValueError as error:
        raise Refused("PLUGIN_FAILED", str(error)) from None
    if not served:
        raise Refused("PLUGIN_FAILED", f"it asks for the plugin API {wanted}; this hostd serves {API}")
    return wanted


def _register(module: Any, plugin_id: str, *, trace: bool) -> list[Registration]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if trace:
        manager.add_hookcall_monitoring(
            lambda name, implementations, arguments: _log.info("hook_called plugin=%s hook=%s", plugin_id, name),
            lambda outcome, name, implementations, arguments: None,
        )
    manager.register(module, name=plugin_id)
    manager.check_pending()
    registry = Registry()
    manager.hook.hostd_register(registry=registry)
    if not registry.registrations:
        raise Refused("NOTHING_REGISTERED", _nothing(module))
    return list(registry.registrations)


def _build_options(registrations: Iterable[Registration]) -> None:
    """Have faults of options classes come up now, not at the first attempt. Raises what pydantic raises."""
    for registration in registrations:
        registration.options.model_rebuild()
        registration.settings.model_rebuild()


def _nothing(module: Any) -> str:
    if hasattr(module, "hostd_register"):
        return "hostd_register registered nothing; did you forget @hookimpl?"
    return "there is no hostd_register in it; did you name the right module in the entry point?"
