"""Webhook paths and who answers them: filled by triggers, read by the HTTP door."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind, invalid
from hostd.plugin import WebhookHandler
from hostd.plugin.webhook import DEFAULT_BODY_BYTES_MAX

PREFIX = "/hooks/"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_PATH = re.compile(r"[A-Za-z0-9._~-]{1,128}(/[A-Za-z0-9._~-]{1,128}){0,7}")


class RouteEntry(NamedTuple):
    """Who answers one path and method. A body past `max_body_bytes` is refused with 413 before the handler."""

    url_path: str
    method: str
    handler: WebhookHandler
    max_body_bytes: int
    owner: str


class RouteTable:
    """One per daemon; only its loop touches it."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], RouteEntry] = {}

    def find(self, url_path: str, method: str) -> RouteEntry | None:
        """Return who answers, None when nobody does."""
        return self._routes.get((url_path, method))

    def methods(self, url_path: str) -> list[str]:
        """Return the methods a path answers, for the `Allow` header of a 405; empty means 404."""
        return sorted(method for path, method in self._routes if path == url_path)

    def add(
        self,
        namespace: str,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        owner: str,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
    ) -> HeldRoute:
        """Answer a path from now on.

        Raises:
            HostdError: PATH_TAKEN, or OPTION_INVALID for a malformed path or method.
        """
        url_path = f"{PREFIX}{namespace}/{check_path(path)}"
        wanted = sorted({_check_method(method) for method in methods})
        for method in wanted:
            taken = self._routes.get((url_path, method))
            if taken is not None:
                message = f"{method} {url_path} is answered by {taken.owner} already; choose another path"
                raise HostdError(Kind.EXISTS, "PATH_TAKEN", message)
        entries = [RouteEntry(url_path, method, handler, max_body_bytes, owner) for method in wanted]
        self._routes.update({(url_path, entry.method): entry for entry in entries})
        return HeldRoute(self, url_path, entries)

    def remove(self, entries: Sequence[RouteEntry]) -> None:
        """Stop answering; entries that are not there, or are somebody else's by now, are left alone."""
        for entry in entries:
            key = (entry.url_path, entry.method)
            if self._routes.get(key) is entry:
                del self._routes[key]


class HeldRoute:
    """What a trigger holds of a path it answers."""

    __slots__ = ("_entries", "_table", "url_path")

    def __init__(self, table: RouteTable, url_path: str, entries: list[RouteEntry]) -> None:
        self._table = table
        self._entries = entries
        self.url_path = url_path

    def close(self) -> None:
        """Stop answering; may be called twice."""
        self._table.remove(self._entries)


def check_path(path: str) -> str:
    """Return a webhook path without a leading slash. Raises HostdError OPTION_INVALID."""
    plain = path.removeprefix("/")
    if not _PATH.fullmatch(plain) or any(part in (".", "..") for part in plain.split("/")):
        raise invalid(
            "OPTION_INVALID", f"{path[:80]!r} is no webhook path; write one to eight parts such as orders/new"
        )
    return plain


def _check_method(method: str) -> str:
    if method not in METHODS:
        raise invalid("OPTION_INVALID", f"{method[:20]!r} is no method a webhook answers: {', '.join(sorted(METHODS))}")
    return method
