"""What the configuration says, in the words of the rooms that are built from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hostd.config.rooms import Config
from hostd.host.found import Choices
from hostd.host.process.launch import ProcessLimits
from hostd.journal.port import Retention
from hostd.lua.limits import ScriptLimits
from hostd.lua.pool import PoolOptions

GUARDED = {"http.request": "http", "email.send": "email"}
"""Actions that connect to where a step says, and their plugins."""


def whole_ms(value: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return round(value.total_seconds() * 1000)


def retention_of(config: Config) -> Retention:
    """Return how long the journal keeps what."""
    keep = config.retention
    return Retention(
        runs_ms=whole_ms(keep.runs),
        events_ms=whole_ms(keep.events),
        events_bytes=keep.events_size,
        dedup_ms=whole_ms(keep.dedup_keys),
        dedup_per_trigger=keep.dedup_keys_max,
        request_ids_ms=whole_ms(keep.request_ids),
        dead_letters_ms=whole_ms(keep.dead_letters),
        logs_ms=whole_ms(keep.logs),
        audit_ms=whole_ms(keep.audit),
    )


def script_limits(config: Config) -> ScriptLimits:
    """Return what no script gets more of."""
    limits = config.lua.limits
    return ScriptLimits(
        cpu_ms=whole_ms(limits.cpu),
        wall_ms=whole_ms(limits.slice),
        memory_bytes=limits.memory,
        source_bytes=limits.source,
        input_bytes=limits.input,
        output_bytes=limits.output,
        reply_bytes=limits.reply,
        string_bytes=limits.string,
        pattern_bytes=limits.pattern,
        coroutines=limits.coroutines,
        host_calls=limits.host_calls,
        log_bytes=limits.log,
    )


def process_limits(config: Config) -> ProcessLimits:
    """Return what a plugin's process may take."""
    limits = config.plugins.limits
    return ProcessLimits(
        memory_bytes=limits.memory,
        files=limits.files,
        file_bytes=limits.file_size,
        cpu=limits.cpu,
        attempts=limits.attempts,
        start=limits.start,
        answer=limits.answer,
        idle=limits.idle,
        orphan=limits.orphan,
    )


def pool_options(config: Config) -> PoolOptions:
    """Return what the pool of script workers is built with."""
    return PoolOptions(
        workers_max=config.lua.workers,
        spare=config.lua.spare,
        ceiling=script_limits(config),
        isolation_required=config.lua.isolation == "required",
    )


def plugin_choices(config: Config) -> Choices:
    """Return which plugins are loaded, where they run, and what they are set to."""
    plugins = config.plugins
    return Choices(
        inline=frozenset(plugins.inline),
        process=frozenset(plugins.process),
        thread=frozenset(plugins.thread),
        allow=frozenset(plugins.allow or ()),
        deny=frozenset(plugins.deny),
        safe_mode=plugins.safe_mode,
        settings=_plugin_settings(config),
        defaults=_guarded_by_default(config),
        groups=plugins.groups,
        trace=plugins.trace,
    )


def _plugin_settings(config: Config) -> dict[str, Any]:
    """Return plugins' settings, with the guard of `egress` where those that connect say nothing themselves."""
    settings: dict[str, Any] = dict(config.plugins.settings)
    egress = config.egress
    guard = {"private": egress.private, "allow": list(egress.allow), "deny": list(egress.deny)}
    for action, plugin in GUARDED.items():
        own = settings[action] if action in settings else settings.pop(plugin, {})  # else it would count as unused
        settings[action] = {**guard, **own}
    return settings


def _guarded_by_default(config: Config) -> frozenset[str]:
    """Return the actions whose settings are only the guard that an operator who says nothing has."""
    egress, written = config.egress, config.plugins.settings
    if egress.private or egress.allow or egress.deny:
        return frozenset()
    return frozenset(action for action, plugin in GUARDED.items() if action not in written and plugin not in written)
