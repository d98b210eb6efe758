"""Webhook paths and who answers them: filled by triggers, read by the HTTP door.

A path may have parameters (`orders/{id}`), each a whole part. Two paths that some request would fit both are never
answered for the same method: no order of registration, and no rule of precedence, decides who gets a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind, invalid
from hostd.plugin import WebhookHandler
from hostd.plugin.webhook import DEFAULT_ANSWER_TIMEOUT, DEFAULT_BODY_BYTES_MAX, path_params

PREFIX = "/hooks/"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PARTS_MAX = 8
_PLAIN = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_REMEDY = "choose another path, or free this one: the trigger begins by itself then"
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,31})\}")


class RouteEntry(NamedTuple):
    """Who answers one path and method. A body past `max_body_bytes` is refused with 413 before the handler.

    `timeout_s`: how long the handler may take.
    """

    url_path: str
    method: str
    handler: WebhookHandler
    max_body_bytes: int
    owner: str
    timeout_s: float

    @property
    def namespace(self) -> str:
        """The namespace of who answers."""
        return self.url_path.removeprefix(PREFIX).partition("/")[0]

    def params(self, url_path: str) -> Mapping[str, str]:
        """Return the parameters of a path that was found to lead here. Raises HostdError ARGUMENT_INVALID."""
        try:
            return path_params(self.url_path, url_path)
        except ValueError:
            raise invalid("ARGUMENT_INVALID", f"{url_path[:200]} holds a part that is not UTF-8") from None


class PathTakenError(HostdError):
    """A path that is answered already. `wanted`: the path and its methods; `holder`: what is in the way."""

    def __init__(self, url_path: str, methods: Sequence[str], holder: RouteEntry) -> None:
        also = "" if holder.url_path == url_path else f" as {holder.url_path}"
        message = f"{holder.method} {url_path} is answered by {holder.owner} already{also}; {_REMEDY}"
        super().__init__(Kind.EXISTS, "PATH_TAKEN", message)
        self.wanted = (url_path, methods)
        self.holder = holder


class _Node:
    """A part of paths. `anything`: what follows a parameter."""

    __slots__ = ("anything", "below", "entries")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.anything: _Node | None = None
        self.entries: dict[str, RouteEntry] = {}

    @property
    def empty(self) -> bool:
        return not self.below and self.anything is None and not self.entries


class RouteTable:
    """One per daemon; only its loop touches it."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], RouteEntry] = {}
        self._root = _Node()
        self.incomplete: Callable[[], bool] = lambda: False  # whether more paths are to come, as plugins start
        self.freed: Callable[[RouteEntry], None] = lambda entry: None  # told of a path that is not answered any more

    def find(self, url_path: str, method: str) -> RouteEntry | None:
        """Return who answers, None when nobody does."""
        found = self._routes.get((url_path, method))
        if found is not None and "{" not in url_path:
            return found
        fitting = _fitting(self._root, _parts(url_path))
        return next((node.entries[method] for node in fitting if method in node.entries), None)

    def methods(self, url_path: str) -> list[str]:
        """Return the methods a path answers, for the `Allow` header of a 405; empty means 404."""
        return sorted({method for node in _fitting(self._root, _parts(url_path)) for method in node.entries})

    def add(
        self,
        namespace: str,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        owner: str,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout_s: float = DEFAULT_ANSWER_TIMEOUT.total_seconds(),
    ) -> HeldRoute:
        """Answer a path from now on.

        Raises:
            HostdError: PATH_TAKEN, or OPTION_INVALID for a malformed path or method.
        """
        url_path = f"{PREFIX}{namespace}/{check_path(path)}"
        wanted = sorted({_check_method(method) for method in methods})
        taken = self.in_the_way(url_path, wanted)
        if taken is not None:
            raise PathTakenError(url_path, wanted, taken)
        entries = [RouteEntry(url_path, method, handler, max_body_bytes, owner, timeout_s) for method in wanted]
        self._routes.update({(url_path, entry.method): entry for entry in entries})
        self._node(_parts(url_path)).entries.update({entry.method: entry for entry in entries})
        return HeldRoute(self, url_path, entries)

    def in_the_way(self, url_path: str, methods: Sequence[str]) -> RouteEntry | None:
        """Return what is answered and would fit some request of this path and these methods, None where it is free."""
        for node in _meeting(self._root, _parts(url_path)):
            taken = next((node.entries[method] for method in methods if method in node.entries), None)
            if taken is not None:
                return taken
        return None

    def _node(self, parts: list[str]) -> _Node:
        """Return the node of a path, made where it is not there."""
        node = self._root
        for part in parts:
            if not part.startswith("{"):
                node = node.below.setdefault(part, _Node())
                continue
            if node.anything is None:
                node.anything = _Node()
            node = node.anything
        return node

    def remove(self, entries: Sequence[RouteEntry]) -> None:
        """Stop answering; entries that are not there, or are somebody else's by now, are left alone."""
        there = [entry for entry in entries if self._routes.get((entry.url_path, entry.method)) is entry]
        for entry in there:
            del self._routes[entry.url_path, entry.method]
            _take(self._root, _parts(entry.url_path), entry.method)
        if there:
            self.freed(there[0])


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

    def holds(self, entry: RouteEntry) -> bool:
        """Say whether an entry is its own."""
        return any(one is entry for one in self._entries)


def _parts(url_path: str) -> list[str]:
    return url_path.split("/")[1:]


def _fitting(node: _Node, parts: list[str]) -> Iterator[_Node]:
    """Yield the nodes of paths that a request's path fits; a parameter is never empty."""
    if not parts:
        if node.entries:
            yield node
        return
    first, rest = parts[0], parts[1:]
    if len(rest) > PARTS_MAX + 2:
        return
    below = node.below.get(first)
    if below is not None:
        yield from _fitting(below, rest)
    if node.anything is not None and first:
        yield from _fitting(node.anything, rest)


def _meeting(node: _Node, parts: list[str]) -> Iterator[_Node]:
    """Yield the nodes of paths that some request fits along with this one."""
    if not parts:
        yield node
        return
    first, rest = parts[0], parts[1:]
    if first.startswith("{"):
        nexts = list(node.below.values())
    else:
        nexts = [node.below[first]] if first in node.below else []
    for below in [*nexts, *([node.anything] if node.anything is not None else [])]:
        yield from _meeting(below, rest)


def _take(node: _Node, parts: list[str], method: str) -> None:
    """Take an entry out, and every node that is left empty by it."""
    if not parts:
        node.entries.pop(method, None)
        return
    first, rest = parts[0], parts[1:]
    below = node.anything if first.startswith("{") else node.below.get(first)
    if below is None:
        return
    _take(below, rest, method)
    if below.empty:
        if below is node.anything:
            node.anything = None
        else:
            del node.below[first]


def check_path(path: str) -> str:
    """Return a webhook path without a leading slash. Raises HostdError OPTION_INVALID."""
    plain = path.removeprefix("/")
    parts = plain.split("/")
    names = [found[1] for part in parts if (found := _PARAMETER.fullmatch(part))]
    fine = all(_PARAMETER.fullmatch(part) or (_PLAIN.fullmatch(part) and part not in (".", "..")) for part in parts)
    if not fine or len(parts) > PARTS_MAX or len(set(names)) < len(names):
        form = "one to eight parts such as orders/new or orders/{id}, each name once"
        raise invalid("OPTION_INVALID", f"{path[:80]!r} is no webhook path; write {form}")
    return plain


def _check_method(method: str) -> str:
    if method not in METHODS:
        raise invalid("OPTION_INVALID", f"{method[:20]!r} is no method a webhook answers: {', '.join(sorted(METHODS))}")
    return method
