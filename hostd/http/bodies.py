"""Reading a request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from hostd.errors.base import HostdError, Kind, invalid


async def read_body(request: web.BaseRequest, *, max_bytes: int, timeout_s: float) -> bytes:
    """Return the whole body, byte for byte as it was sent (signatures are over these bytes).

    Raises:
        HostdError: PAYLOAD_TOO_LARGE, BODY_TOO_SLOW, ENCODING_REFUSED, or ARGUMENT_INVALID for broken framing.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise invalid("ENCODING_REFUSED", "compressed bodies are not taken; send it without content-encoding")
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    if request.headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise HostdError(Kind.TIMEOUT, "BODY_TOO_SLOW", f"the body did not arrive within {timeout_s:g} s") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise invalid("ARGUMENT_INVALID", "the body's framing (content-length or chunks) is broken") from None


async def _read(request: web.BaseRequest, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := await request.content.readany():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    return b"".join(parts)


def _too_large(max_bytes: int) -> HostdError:
    return invalid("PAYLOAD_TOO_LARGE", f"the body is larger than {max_bytes} bytes", max_bytes=str(max_bytes))
