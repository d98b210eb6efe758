"""`file.read`: the content of one file."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Literal

from hostd.plugin import ActionContext, ActionError, Field, HostdError, JsonValue, parse_json, rfc3339
from hostd_builtin.file.action import CHUNK_BYTES, FileAction, PathOptions
from hostd_builtin.file.failures import stopped, told
from hostd_builtin.file.roots import open_file

READ_BYTES_MAX = 10 * 1024 * 1024


class ReadOptions(PathOptions):
    """A file, and how to give its content."""

    parse: Literal["text", "json", "base64"] = Field(
        "text", description="How `content` is given: text (UTF-8), the value of a JSON file, or base64."
    )
    max_bytes: int = Field(
        1024 * 1024, description="A larger file fails the step.", ge=1, le=READ_BYTES_MAX, examples=[65536]
    )


class Read(FileAction[ReadOptions]):
    """Gives a file's content, size and time of change."""

    id, since, stability, effects = "file.read", "0.1", "stable", "none"

    def run(self, ctx: ActionContext, options: ReadOptions) -> JsonValue:
        """Read the whole file, or fail."""
        with told(options.path), self.roots.spot(options.path) as spot:
            opened = open_file(spot, os.O_RDONLY)
            with os.fdopen(opened, "rb", buffering=0) as file:
                found = os.fstat(file.fileno())
                data = _read(ctx, file.fileno(), options.max_bytes, spot.path)
        return {
            "path": spot.path,
            "content": _content(data, options.parse, spot.path),
            "size": len(data),
            "modified": rfc3339(datetime.fromtimestamp(found.st_mtime, UTC)),
        }


def _read(ctx: ActionContext, opened: int, most_bytes: int, path: str) -> bytes:
    parts, size = [], 0
    while part := os.read(opened, min(CHUNK_BYTES, most_bytes + 1 - size)):
        if ctx.cancel.requested:
            raise stopped()
        parts.append(part)
        size += len(part)
        if size > most_bytes:
            message = f"{path} has more than max_bytes, {most_bytes}"
            raise ActionError(message, code="TOO_LARGE", details={"max_bytes": most_bytes})
    return b"".join(parts)


def _content(data: bytes, parse: str, path: str) -> JsonValue:
    if parse == "base64":
        return base64.b64encode(data).decode("ascii")
    try:
        return parse_json(data) if parse == "json" else data.decode("utf-8")
    except HostdError as error:
        raise ActionError(f"{path}: {error.message}", code="CONTENT_INVALID") from None
    except UnicodeDecodeError:
        message = f"{path} is no UTF-8 text; `parse: base64` takes it as it is"
        raise ActionError(message, code="CONTENT_INVALID") from None
