"""Secrets that attempts may show which outlived the daemon that began them: any of their namespace."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from hostd.errors.base import HostdError
from hostd.runtime.attempts.secret_values import SecretReader

_log = logging.getLogger("hostd.runtime")


class InheritedSecrets:
    """By namespace and name. `names` lists the secrets of a namespace; None where nobody can."""

    def __init__(self, read: SecretReader, names: Callable[[str], Awaitable[Sequence[str]]] | None) -> None:
        self._read = read
        self._names = names
        self._known: dict[str, dict[str, str]] = {}

    async def learn(self, namespace: str, names: Iterable[str]) -> None:
        """Read those that are named, and the first time all others of the namespace."""
        known, wanted = self._known.get(namespace), set(names)
        if known is None:
            known = self._known[namespace] = {}
            wanted.update(await self._names(namespace) if self._names is not None else ())
        for name in sorted(wanted - known.keys()):
            try:
                known[name] = await self._read(namespace, name)
            except HostdError as error:
                _log.warning("secret_unknown name=%s reason=%s", name, error.reason)

    def of(self, namespace: str) -> tuple[str, ...]:
        """Return the values that are known."""
        return tuple(self._known.get(namespace, {}).values())
