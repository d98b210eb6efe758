"""Pages of lists: from what a request says to where to begin, and from the last entry to the next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

from hostd.api.convert.checks import check_page_size
from hostd.api.tokens import Position, Tokens
from hostd.errors.base import invalid

PAGE_BYTES_MAX = 2 * 1024 * 1024  # clients take messages of 4 MiB unless told otherwise

P = TypeVar("P", int, str, list[str])
M = TypeVar("M", bound=Message)


class Page:
    """One page that was asked for. Ask the port for `limit` entries: one more than fits says that more follow."""

    def __init__(self, tokens: Tokens, scope: bytes, *, size: int, token: str) -> None:
        """Check what a request says. Raises HostdError ARGUMENT_INVALID, PAGE_TOKEN_INVALID."""
        self._tokens = tokens
        self._scope = scope
        self._size = check_page_size(size)
        self._after: Position | None = tokens.read_page(token, scope) if token else None
        self.limit = self._size + 1

    def after(self, start: P) -> P:
        """Return behind which entry the page begins; `start` on the first one."""
        if self._after is None:
            return start
        if type(self._after) is not type(start):
            raise invalid("PAGE_TOKEN_INVALID", "the page token belongs to another request; start from the first page")
        return self._after

    def cut(self, messages: Sequence[M], positions: Sequence[Position]) -> tuple[list[M], str]:
        """Return what fits into this page, and the token of the next one (empty where there is none).

        Args:
            positions: of each message; the next page begins behind the last one's.
        """
        kept: list[M] = []
        size_bytes = 0
        for message in messages[: self._size]:
            size_bytes += message.ByteSize()
            if kept and size_bytes > PAGE_BYTES_MAX:
                break
            kept.append(message)
        if len(kept) == len(messages):
            return kept, ""
        return kept, self._tokens.page(self._scope, positions[len(kept) - 1])
