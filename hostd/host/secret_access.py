"""Secrets as the daemon asks for them: from what providers are loaded, and never to be seen in a text of it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable

from hostd.errors.base import HostdError
from hostd.host.guard import PLUGIN_ERRORS
from hostd.host.registry import HostRegistry
from hostd.host.secrets import list_secrets, read_secret, secret_is_missing, set_secret
from hostd.model.redaction import redact
from hostd.model.views import SecretView

REMEMBERED_MAX = 500
_log = logging.getLogger("hostd.host")


class HandedOut:
    """Values of secrets that were handed out or set, so that the daemon's log can be searched for them.

    A library, or a plugin's own process, may log what it was given; nothing else would keep that out. Of more than
    500 values those that were used last are known.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[str, None] = OrderedDict()

    def add(self, value: str) -> None:
        """Take note of a value."""
        self._values[value] = None
        self._values.move_to_end(value)
        if len(self._values) > REMEMBERED_MAX:
            self._values.popitem(last=False)

    def hide(self, text: str) -> str:
        """Return a text without them. From any thread."""
        return redact(text, list(self._values)) if self._values else text


class SecretAccess:
    """One per host. `registry`: what is loaded now."""

    def __init__(self, registry: Callable[[], HostRegistry]) -> None:
        self._registry = registry
        self._handed_out = HandedOut()

    async def prepare(self) -> None:
        """Provision the providers now: what is wrong with them is told at the start, not at first use."""
        for entry in self._registry().secrets:
            try:
                if not entry.life.ready:
                    await entry.life.prepare()
            except PLUGIN_ERRORS as error:  # tried again when asked for a secret; its text could hold one
                reason = error.reason if isinstance(error, HostdError) else type(error).__name__
                _log.warning("secrets_unprepared component=%s reason=%s", entry.id, reason)

    async def get(self, namespace: str, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        value = await read_secret(self._registry(), namespace, name)
        self._handed_out.add(value)
        return value

    async def set(self, namespace: str, name: str, value: str) -> tuple[SecretView, bool, str]:
        """Set a secret; see `secrets.set_secret`."""
        self._handed_out.add(value)
        return await set_secret(self._registry(), namespace, name, value)

    async def names(self, namespace: str) -> list[str]:
        """Return the names of secrets that providers tell of; none where one cannot be asked."""
        try:
            return [view.name for view in await list_secrets(self._registry(), namespace)]
        except HostdError as error:
            _log.warning("secrets_unlisted namespace=%s reason=%s", namespace, error.reason)
            return []

    async def is_missing(self, namespace: str, name: str) -> bool:
        """Say whether no provider has a secret; one that cannot be asked may have it."""
        return await secret_is_missing(self._registry(), namespace, name)

    async def remember(self, namespace: str) -> None:
        """Keep the secrets of a namespace out of the log before any was handed out."""
        for name in await self.names(namespace):
            try:
                await self.get(namespace, name)
            except HostdError as error:
                _log.warning("secret_unknown name=%s reason=%s", name, error.reason)

    def hide(self, text: str) -> str:
        """Return a text without the values of secrets that were handed out; for logs, from any thread."""
        return self._handed_out.hide(text)
