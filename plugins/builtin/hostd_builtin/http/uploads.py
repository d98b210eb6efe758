"""Bodies of requests: JSON, text, bytes, blobs, forms and multipart, as bytes and their content type."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hostd.plugin import ActionContext, ActionError, BlobRef, dump_json

if TYPE_CHECKING:
    from hostd_builtin.http.options import Part, RequestOptions

BYTES_MAX = 16 * 1024 * 1024


async def body_of(ctx: ActionContext, options: RequestOptions) -> tuple[bytes | None, str]:
    """Return a request's body, None without one, and its content type.

    Raises:
        ActionError: BODY_TOO_LARGE. HostdError: BLOB_MISSING.
    """
    if options.has_json:
        return dump_json(options.json_body), "application/json"
    if options.form is not None:
        text = urlencode({name: text_of(value) for name, value in options.form.items()})
        return text.encode(), "application/x-www-form-urlencoded"
    if options.body_base64 is not None:
        return base64.b64decode(options.body_base64), "application/octet-stream"
    if options.body_blob is not None:
        ref = BlobRef.from_json(options.body_blob)
        kind = ref.content_type if ref is not None else "application/octet-stream"
        return await _blob(ctx, options.body_blob), kind
    if options.multipart is not None:
        return await _multipart(ctx, options.multipart)
    return (None, "") if options.body is None else (options.body.encode(), "text/plain; charset=utf-8")


def text_of(value: Any) -> str:
    """Return a value as it stands in a query or a form."""
    return value if isinstance(value, str) else dump_json(value).decode()


async def _blob(ctx: ActionContext, given: Any) -> bytes:
    ref = BlobRef.from_json(given)
    return await ctx.blobs.get(ref if ref is not None else str(given))


async def _multipart(ctx: ActionContext, parts: list[Part]) -> tuple[bytes, str]:
    """Return parts as multipart/form-data (RFC 7578). The same parts give the same bytes, so a retry sends the same."""
    contents = []
    for part in parts:
        contents.append(await _content(ctx, part))
        if sum(map(len, contents)) > BYTES_MAX:
            raise ActionError(f"the parts have more than {BYTES_MAX} bytes together", code="BODY_TOO_LARGE")
    boundary = _boundary(contents)
    lines: list[bytes] = []
    for part, content in zip(parts, contents, strict=True):
        lines += [b"--" + boundary, *_heads(part), b"", content]
    lines += [b"--" + boundary + b"--", b""]
    return b"\r\n".join(lines), f"multipart/form-data; boundary={boundary.decode()}"


async def _content(ctx: ActionContext, part: Part) -> bytes:
    if part.blob is not None:
        return await _blob(ctx, part.blob)
    if part.base64 is not None:
        return base64.b64decode(part.base64)
    return text_of(part.value).encode()


def _heads(part: Part) -> list[bytes]:
    heads = f'content-disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        heads += f'; filename="{_quoted(part.filename)}"'
    kind = part.content_type
    if kind is None and part.filename is not None:
        kind = "application/octet-stream"
    return [heads.encode(), *([f"content-type: {kind}".encode()] if kind else [])]


def _quoted(text: str) -> str:
    """Return a name as browsers write it (WHATWG, multipart/form-data encoding)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _boundary(contents: list[bytes]) -> bytes:
    """Return a line that stands in none of the contents."""
    digest = hashlib.blake2b(digest_size=16)
    for content in contents:
        digest.update(content)
    while True:
        boundary = b"hostd-" + digest.hexdigest().encode()
        if not any(boundary in content for content in contents):
            return boundary
        digest.update(b"again")
