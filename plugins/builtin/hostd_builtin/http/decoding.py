"""Compressed answers, piece by piece: never more than a piece is held decompressed, whatever the other side sends."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING

from hostd.plugin import ActionError

if TYPE_CHECKING:
    import aiohttp

ACCEPTED = "gzip, deflate"
PIECE_BYTES = 64 * 1024
_GZIP, _ZLIB, _RAW = 31, 15, -15


async def pieces(response: aiohttp.ClientResponse, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body, decompressed. The caller counts what comes out; what goes in is counted here.

    Raises:
        ActionError: RESPONSE_TOO_LARGE, BODY_INVALID.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise ActionError(
            f"the answer's content-encoding {encoding[:40]!r} is not one we asked for", code="BODY_INVALID"
        )
    inflate = None if encoding in ("identity", "") else _Inflate(encoding)
    size = 0
    async for part in response.content.iter_chunked(PIECE_BYTES):
        size += len(part)
        if size > most_bytes:
            raise too_large(most_bytes)
        if inflate is None:
            yield part
            continue
        for piece in inflate.feed(part):
            yield piece
    if inflate is not None and size and not inflate.whole:
        raise ActionError("the compressed answer breaks off", code="BODY_INVALID")


class _Inflate:
    """Gzip (several members too), zlib, or deflate without a header, as some servers send it."""

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding != "deflate"
        self._inflater: zlib._Decompress | None = None
        self.whole = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what data holds, in pieces. Raises ActionError BODY_INVALID."""
        while data or self._inflater is not None:
            if self.whole and not (self._gzip and data.strip(b"\0")):
                return
            inflater = self._inflater or self._begin(data)
            try:
                out = inflater.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise ActionError(f"the compressed answer is broken: {error}", code="BODY_INVALID") from None
            if out:
                yield out
            data = inflater.unconsumed_tail
            if inflater.eof:
                self.whole, self._inflater, data = True, None, inflater.unused_data
            elif not data and len(out) < PIECE_BYTES:
                return

    def _begin(self, data: bytes) -> zlib._Decompress:
        self.whole = False
        deflated = _ZLIB if data[0] & 0x0F == 8 else _RAW
        self._inflater = zlib.decompressobj(_GZIP if self._gzip else deflated)
        return self._inflater


def too_large(most_bytes: int) -> ActionError:
    """Return the error for an answer that is past its bound."""
    return ActionError(
        f"the answer is larger than {most_bytes} bytes; raise `max_response_bytes` or ask for less",
        code="RESPONSE_TOO_LARGE",
    )
