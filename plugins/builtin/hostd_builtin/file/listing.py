"""`file.list`: what lies in a folder."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from pydantic import field_validator

from hostd.plugin import ActionContext, Field, JsonValue, rfc3339
from hostd_builtin.file.action import FileAction, PathOptions
from hostd_builtin.file.failures import stopped, told
from hostd_builtin.file.patterns import PATTERN_CHARS_MAX, Patterns
from hostd_builtin.file.walk import Entry, walk


class ListOptions(PathOptions):
    """A folder, and which of its entries."""

    pattern: str = Field(
        "*",
        description="Which entries: `*.csv` in the folder, `**/*.csv` below it too; names with a leading dot need one.",
        max_length=PATTERN_CHARS_MAX,
        examples=["**/*.csv"],
    )
    folders: bool = Field(False, description="Whether folders are listed too.")
    limit: int = Field(1_000, description="Most entries; `more` says whether there were others.", ge=1, le=10_000)

    @field_validator("pattern")
    @classmethod
    def _can_be_read(cls, pattern: str) -> str:
        Patterns([pattern])
        return pattern


class List(FileAction[ListOptions]):
    """Gives the entries of a folder by name: path, size, time of change. Links are left out."""

    id, since, stability, effects = "file.list", "0.1", "stable", "none"

    def run(self, ctx: ActionContext, options: ListOptions) -> JsonValue:
        """List."""
        patterns = Patterns([options.pattern])
        kinds = {"file", "folder"} if options.folders else {"file"}
        found: list[JsonValue] = []
        more = False
        deep = "/" in options.pattern or "**" in options.pattern
        with (
            told(options.path),
            self.roots.folder(options.path) as (folder, path),
            closing(walk(folder, deep=deep)) as entries,
        ):
            for entry in entries:
                if ctx.cancel.requested:
                    raise stopped()
                if entry.kind not in kinds or not patterns.fits(entry.path):
                    continue
                if len(found) == options.limit:
                    more = True
                    break
                found.append(_row(path, entry))
        return {"path": path, "entries": found, "more": more}


def _row(folder: str, entry: Entry) -> JsonValue:
    return {
        "path": f"{folder}/{entry.path}",
        "name": entry.path.rpartition("/")[2],
        "type": entry.kind,
        "size": entry.found.st_size if entry.kind == "file" else 0,
        "modified": rfc3339(datetime.fromtimestamp(entry.found.st_mtime, UTC)),
    }
