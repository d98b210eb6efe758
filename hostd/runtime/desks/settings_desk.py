"""The configuration while the daemon runs: what holds, reading it anew, and how much is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from hostd.config.load import Loaded
from hostd.config.reload import Change, changes_between, next_config
from hostd.config.rooms import Config, is_live
from hostd.config.shown import field_of, shown_values
from hostd.errors.base import HostdError, Kind
from hostd.model.configuration import ConfigChangeView, ConfigValueView, ConfigView, ReloadedView
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.telemetry.log_levels import LogLevels

_log = logging.getLogger("hostd.runtime")

RELOAD, SET_LEVEL = "config.reload", "log.set_level"


class SettingsDesk:
    """The configuration of one host.

    Args:
        held: what it was built from.
        apply: hands every room what it reads of a new configuration; cannot fail.
    """

    def __init__(self, held: Loaded, *, levels: LogLevels, loop: EngineLoop, apply: Callable[[Config], None]) -> None:
        self._held = held
        self._levels = levels
        self._loop = loop
        self._apply = apply
        self._waiting: frozenset[str] = frozenset()  # keys that were read otherwise and need a restart
        self._read: Callable[[], Loaded] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.reloading: Callable[[], None] = _nothing  # told before the configuration is read
        self.reloaded: Callable[[str], None] = _nothing  # told how it went, in a sentence

    def follow(self, held: Loaded, read: Callable[[], Loaded]) -> None:
        """Know where the configuration comes from, so that it can be read again. `read` may block."""
        self._held = held
        self._read = read

    @property
    def log_level(self) -> str:
        """The level of everything that has none of its own."""
        return self._levels.level

    def show(self) -> ConfigView:
        """Return what holds."""
        values = tuple(
            ConfigValueView(line.key, line.value, line.origin, is_live(field_of(line.key)), self._waits(line.key))
            for line in shown_values(self._held)
        )
        return ConfigView(values, str(self._held.file or ""), self._levels.changed())

    async def reload(self, namespace: str, *, principal: str) -> ReloadedView:
        """Read and check everything, then swap what is reloadable. An error leaves everything as it was.

        Raises:
            HostdError: CONFIG_INVALID with every mistake; CONFIG_NOT_READ where a program made the configuration.
        """
        if self._read is None:
            message = "this daemon was given its configuration by the program it runs in"
            raise HostdError(Kind.STATE, "CONFIG_NOT_READ", message)
        async with self._one_at_a_time:
            self.reloading()
            said = "a reload was given up"
            try:
                read = await asyncio.to_thread(self._read)
                changes = self._swap(read)
                said = _sentence(changes)
            except HostdError as error:
                _tell(error)
                said = f"the configuration was refused: {error.message}"
                raise
            finally:  # whatever came of it: a service manager waits for the end
                self.reloaded(said)
        await self._audit(namespace, principal, RELOAD, str(read.file or ""), **_kinds(changes))
        return ReloadedView(tuple(ConfigChangeView(*change) for change in changes), str(read.file or ""))

    def _swap(self, read: Loaded) -> list[Change]:
        changes = changes_between(self._held, read)
        held = next_config(self._held, read)
        log, before = held.config.log, self._held.config.log
        if (log.level, log.attempts) != (before.level, before.attempts):
            self._levels.configure(log.level, log.attempts)
        self._held = held
        self._waiting = frozenset(change.key for change in changes if change.restart_needed)
        self._apply(held.config)
        for change in changes:
            text = "config_changed key=%s before=%s after=%s origin=%s restart_needed=%s"
            _log.info(text, change.key, change.before, change.after, change.origin, change.restart_needed)
        _log.info("config_reloaded file=%s changed=%d restart_needed=%d", read.file or "", *_counts(changes))
        return changes

    async def set_log_level(self, namespace: str, *, logger: str, level: str, principal: str) -> dict[str, str]:
        """Change how much is logged, or with an empty level go back; return the levels changed since the start.

        Raises:
            HostdError: ARGUMENT_INVALID.
        """
        if level:
            self._levels.set(logger, level)
        else:
            self._levels.reset(logger)
        _log.info("log_level_changed of=%s to=%s principal=%s", logger or "all", level or "configured", principal)
        await self._audit(namespace, principal, SET_LEVEL, logger, level=level or "configured")
        return self._levels.changed()

    async def _audit(self, namespace: str, principal: str, verb: str, resource: str, **details: str) -> None:
        """Write who did it. What was done is done: a journal that cannot be written is why one looks closer."""
        try:
            await self._loop.write(audited(namespace, principal, verb, resource, None, **details))
        except HostdError as error:
            _log.warning("audit_missed verb=%s principal=%s error=%s", verb, principal, error)

    def _waits(self, key: str) -> bool:
        return any(key == waiting or key.startswith(f"{waiting}.") for waiting in self._waiting)


def _nothing(*_: Any) -> None:
    """Nobody listens."""


def _tell(error: HostdError) -> None:
    """Log every mistake: whoever sent a signal gets no other answer."""
    for fault in error.violations:
        where = f"{fault.file}:{fault.line}:{fault.column}" if fault.line else fault.file
        text = "config_mistake place=%s key=%s reason=%s message=%s suggestion=%s"
        _log.error(text, where, fault.path, fault.reason, fault.message, fault.suggestion)
    _log.error("config_refused mistakes=%d message=%s", len(error.violations), "nothing was changed")


def _counts(changes: list[Change]) -> tuple[int, int]:
    waiting = sum(change.restart_needed for change in changes)
    return len(changes) - waiting, waiting


def _kinds(changes: list[Change]) -> dict[str, str]:
    """Return the keys that changed and those that wait, for the audit; never their values."""
    changed = ",".join(change.key for change in changes if not change.restart_needed)
    waiting = ",".join(change.key for change in changes if change.restart_needed)
    return {"changed": changed, "restart_needed": waiting}


def _sentence(changes: list[Change]) -> str:
    changed, waiting = _counts(changes)
    return f"the configuration was reloaded: {changed} changed, {waiting} wait for a restart"
