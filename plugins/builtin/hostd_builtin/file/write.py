"""`file.write`: puts a file in place, or adds to it."""

from __future__ import annotations

import base64
import binascii
import os
from typing import Any, Literal

from pydantic import model_validator

from hostd.plugin import ActionContext, Field, JsonValue, dump_json
from hostd_builtin.file.action import FileAction, PathOptions
from hostd_builtin.file.atomic import put, write_all
from hostd_builtin.file.failures import told
from hostd_builtin.file.roots import Spot, open_file

MODE_PATTERN = r"^0?[0-7]{3}$"


class WriteOptions(PathOptions):
    """A file and its content: exactly one of `text`, `json` and `base64`."""

    text: str | None = Field(None, description="Content, written in UTF-8.", examples=["done"])
    json_: Any = Field(None, alias="json", description="Content, written as JSON.")
    base64: str | None = Field(None, description="Content in base64, written as the bytes it stands for.")
    when_exists: Literal["replace", "fail", "append"] = Field(
        "replace", description="If the file is there: `replace` it at once, `fail`, or `append` to it."
    )
    create_parents: bool = Field(False, description="Whether folders on the way that are missing are made.")
    mode: str | None = Field(
        None,
        description="Permissions, in octal; without it those of the file that was there, else the system's default.",
        pattern=MODE_PATTERN,
        examples=["0640"],
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> WriteOptions:
        given = {"text", "base64", "json_"} & self.model_fields_set
        given -= {name for name in ("text", "base64") if getattr(self, name) is None}
        if len(given) != 1:
            raise ValueError("write exactly one of text, json and base64")
        self.content()
        return self

    def content(self) -> bytes:
        """Return the bytes. Raises ValueError when `base64` is none."""
        if self.text is not None:
            return self.text.encode("utf-8")
        if self.base64 is None:
            return dump_json(self.json_) + b"\n"
        try:
            return base64.b64decode(self.base64, validate=True)
        except binascii.Error:
            raise ValueError("base64 holds something else than base64") from None


class Write(FileAction[WriteOptions]):
    """Writes a file: whole and at once by a rename, or at its end."""

    id, since, stability, effects = "file.write", "0.1", "stable", "idempotent"

    def run(self, ctx: ActionContext, options: WriteOptions) -> JsonValue:
        """Write."""
        mode = int(options.mode, 8) if options.mode else None
        data = options.content()
        with told(options.path), self.roots.spot(options.path, create_parents=options.create_parents) as spot:
            if options.when_exists == "append":
                size = _append(spot, data, mode)
            else:
                size = put(spot, [data], mode=mode, replace=options.when_exists == "replace")
        return {"path": spot.path, "size": size, "written": len(data)}


def _append(spot: Spot, data: bytes, mode: int | None) -> int:
    """Add to a file, which is made if it is missing; return its size afterwards."""
    opened = open_file(spot, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666 if mode is None else mode)
    with os.fdopen(opened, "wb", buffering=0) as file:
        if mode is not None:
            os.fchmod(opened, mode)
        write_all(opened, data)
        os.fsync(file.fileno())
        return os.fstat(opened).st_size
