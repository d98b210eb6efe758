"""Loading one plugin: its own PluginManager inside one guard, so that a broken one silences nobody else."""

from __future__ import annotations

import logging
import re
from typing import Any

import pluggy

from hostd.errors.base import HostdError
from hostd.host.found import Found, PluginReport, PluginState
from hostd.host.guard import LOAD_ERRORS, PLUGIN_ERRORS, plugin_traceback
from hostd.plugin import API, Registry, hookspecs
from hostd.plugin.api import ANY, accepts
from hostd.plugin.registry import Registration

PLUGIN_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
MESSAGE_CHARS_MAX = 2_000
_log = logging.getLogger("hostd.host.loader")


class Refused(Exception):
    """A plugin that cannot be used, in our words: it needs no traceback."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def load_plugin(found: Found, *, trace: bool = False) -> tuple[PluginReport, list[Registration]]:
    """Import a plugin and let it register. Never raises: the report says what went wrong, with its traceback."""
    api = ""
    try:
        if not PLUGIN_ID.fullmatch(found.id):
            raise Refused("PLUGIN_FAILED", f"{found.id[:80]!r} is no plugin id; write lower case, such as price-feed")
        module = found.load()
        api = _check_api(module)
        registrations = _register(module, found, trace=trace)
    except Refused as refusal:
        return _failed(found, api, refusal.reason, refusal.message), []
    except HostdError as error:
        return _failed(found, api, error.reason, error.message, plugin_traceback(error)), []
    except LOAD_ERRORS as error:  # the fence: a plugin may raise anything
        return _failed(found, api, "PLUGIN_FAILED", _summary(error), plugin_traceback(error)), []
    components = tuple(f"{entry.kind} {entry.id}" for entry in registrations)
    report = PluginReport(
        found.id, found.version, found.source, found.origin, PluginState.LOADED, api, components=components
    )
    return report, registrations


def _summary(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:MESSAGE_CHARS_MAX]
    except PLUGIN_ERRORS:
        return type(error).__name__


def _failed(found: Found, api: str, reason: str, message: str, traceback: str = "") -> PluginReport:
    return PluginReport(
        found.id,
        found.version,
        found.source,
        found.origin,
        PluginState.FAILED,
        api,
        reason=reason,
        message=message,
        traceback=traceback,
    )


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


def _register(module: Any, found: Found, *, trace: bool) -> list[Registration]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if trace:
        manager.add_hookcall_monitoring(
            lambda name, implementations, arguments: _log.info("hook_called plugin=%s hook=%s", found.id, name),
            lambda outcome, name, implementations, arguments: None,
        )
    manager.register(module, name=found.id)
    manager.check_pending()
    registry = Registry()
    manager.hook.hostd_register(registry=registry)
    if not registry.registrations:
        raise Refused("NOTHING_REGISTERED", _nothing(module))
    return list(registry.registrations)


def _nothing(module: Any) -> str:
    if hasattr(module, "hostd_register"):
        return "hostd_register registered nothing; did you forget @hookimpl?"
    return "there is no hostd_register in it; did you name the right module in the entry point?"
