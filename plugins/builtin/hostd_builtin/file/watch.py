"""`file.watch`: an event for each new version of a file."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import field_validator

from hostd.plugin import (
    Duration,
    Event,
    Field,
    JsonValue,
    NotConnected,
    PermanentFailure,
    ProvisionContext,
    RetryLater,
    Trigger,
    TriggerContext,
    dump_json,
    rfc3339,
)
from hostd_builtin.file.action import PathOptions, open_roots
from hostd_builtin.file.notices import Notices
from hostd_builtin.file.patterns import PATTERNS_MAX, Patterns
from hostd_builtin.file.roots import FileSettings, PathDenied, Roots
from hostd_builtin.file.versions import Change, Files, Kind, Settling, TooMany, Version, changes, scan

LOOK_EVERY_S = 30.0  # with notices: the system may lose some
POLL_S = 2.0  # without
BATCH = 500


class WatchOptions(PathOptions):
    """A folder, which of its files, and which changes."""

    patterns: list[str] = Field(
        default_factory=lambda: ["*"],
        description="Which files: `*.csv` in the folder, `**/*.csv` below it too; names with a leading dot need one.",
        examples=[["**/*.csv"]],
        min_length=1,
        max_length=PATTERNS_MAX,
    )
    exclude: list[str] = Field(
        default_factory=list, description="Files left out, in the same form.", max_length=PATTERNS_MAX
    )
    on: list[Kind] = Field(
        default_factory=lambda: ["created", "modified"],
        description="Changes to tell of; without `moved` a moved file is deleted and created.",
        min_length=1,
        max_length=4,
    )
    existing: bool = Field(
        False, description="Whether files that are there when the trigger is first activated are told as created."
    )
    settle: Duration = Field(
        "1s",
        description="A change is told once the file has stayed the same for this long: half-written ones wait.",
        le="1h",
        examples=["2s"],
    )
    poll: Duration | None = Field(
        None,
        description="Look this often instead of asking the system to tell, for folders on a network.",
        ge="100ms",
        le="1h",
    )
    max_files: int = Field(10_000, description="Most files that may fit; above it the trigger waits.", ge=1, le=10_000)

    @field_validator("patterns", "exclude")
    @classmethod
    def _can_be_read(cls, patterns: list[str]) -> list[str]:
        Patterns(patterns)
        return patterns


class Watch(Trigger[WatchOptions]):
    """Emits `{change, path, name, folder, size, modified}` once for each version of a file, across restarts too."""

    id, since, stability = "file.watch", "0.1", "stable"
    tells_begun = True
    Settings = FileSettings

    async def provision(self, ctx: ProvisionContext) -> None:
        """Take the operator's roots."""
        self.roots = await open_roots(self.settings)
        self.watchfiles = await asyncio.to_thread(importlib.import_module, "watchfiles")

    async def run(self, ctx: TriggerContext) -> None:
        """Look, tell, wait, until stopped."""
        watched = _Watched(self.roots, self.options)
        folder = await asyncio.to_thread(watched.open)
        known = watched.remembered(ctx.cursor)
        if known is None:
            known = {} if self.options.existing else await asyncio.to_thread(watched.files)
            await ctx.emit(cursor=watched.cursor(known))
        ctx.begun()  # what is written from here on is told
        settling = Settling(self.options.settle.total_seconds())
        if self.options.poll is not None:
            await _follow(ctx, watched, known, settling, None)
        async with Notices(self.watchfiles, folder, deep=watched.deep, log=ctx.log) as notices:
            await _follow(ctx, watched, known, settling, notices)


class _Watched:
    """The folder as it is asked about. The methods that look block."""

    def __init__(self, roots: Roots, options: WatchOptions) -> None:
        self._roots = roots
        self.options = options
        self._wanted = Patterns(options.patterns)
        self._unwanted = Patterns(options.exclude)
        self.deep = any("/" in pattern or "**" in pattern for pattern in options.patterns)
        self.path = options.path

    def open(self) -> str:
        """Return the folder's path; from here on it is known to be one. Raises PermanentFailure, NotConnected."""
        try:
            with self._roots.folder(self.options.path) as (_, path):
                self.path = path
                return path
        except PathDenied as error:
            raise PermanentFailure(str(error)) from None
        except OSError as error:
            raise NotConnected(f"{self.options.path}: {error.strerror}") from None

    def files(self) -> Files:
        """Return what is there now. Raises PermanentFailure, NotConnected, RetryLater."""
        most = self.options.max_files
        try:
            with self._roots.folder(self.options.path) as (folder, _):
                return scan(folder, self._wanted, self._unwanted, deep=self.deep, most=most)
        except TooMany:
            raise RetryLater("1m", f"more than max_files, {most}, fit the patterns in {self.path}") from None
        except PathDenied as error:
            raise PermanentFailure(str(error)) from None
        except OSError as error:
            raise NotConnected(f"{self.path}: {error.strerror}") from None

    def mark(self) -> str:
        """Return what tells this folder and these patterns from others."""
        asked: JsonValue = [self.path, list(self.options.patterns), list(self.options.exclude)]
        return hashlib.blake2b(dump_json(asked), digest_size=8).hexdigest()

    def cursor(self, known: Files) -> JsonValue:
        """Return what to remember."""
        return {"of": self.mark(), "files": {path: version.text() for path, version in known.items()}}

    def remembered(self, cursor: JsonValue) -> Files | None:
        """Return what a cursor remembers, None when it is of another folder or other patterns."""
        held: Any = cursor
        if not isinstance(held, dict) or held.get("of") != self.mark():
            return None
        return {path: Version.parse(text) for path, text in held["files"].items()}


async def _follow(
    ctx: TriggerContext, watched: _Watched, known: Files, settling: Settling, notices: Notices | None
) -> None:
    while True:
        found = changes(known, await asyncio.to_thread(watched.files))
        found = _as_asked(found, watched.options.on)
        rested = settling.rested(found, ctx.clock.monotonic_s())
        for at in range(0, len(rested), BATCH):
            await _tell(ctx, watched, known, rested[at : at + BATCH])
        for change in rested:
            settling.told(change)
        await _pause(ctx, settling, notices, watched.options)


def _as_asked(found: list[Change], on: Sequence[Kind]) -> list[Change]:
    """Return the changes with moves taken apart where nobody asks for moves."""
    if "moved" in on:
        return found
    apart: list[Change] = []
    for change in found:
        if change.kind == "moved":
            apart.append(Change("deleted", change.before, change.version))
            change = Change("created", change.path, change.version)
        apart.append(change)
    return apart


async def _tell(ctx: TriggerContext, watched: _Watched, known: Files, batch: list[Change]) -> None:
    """Emit a batch, and remember it in the same append; changes nobody asks for are only remembered."""
    after = dict(known)
    for change in batch:
        after.pop(change.before if change.kind == "moved" else change.path, None)
        if change.kind != "deleted":
            after[change.path] = change.version
    events = [_event(ctx, watched.path, change) for change in batch if change.kind in watched.options.on]
    await ctx.emit(*events, cursor=watched.cursor(after))
    known.clear()
    known.update(after)


def _event(ctx: TriggerContext, folder: str, change: Change) -> Event:
    version = change.version
    path = os.path.join(folder, change.path)
    text = "\x00".join((change.kind, path, change.before, version.text()))
    modified = rfc3339(datetime.fromtimestamp(version.modified_ns / 1e9, UTC))
    data: dict[str, JsonValue] = {
        "change": change.kind,
        "path": path,
        "name": os.path.basename(path),
        "folder": os.path.dirname(path),
        "size": version.size,
        "modified": modified,
    }
    if change.before:
        data["from"] = os.path.join(folder, change.before)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return ctx.event(data, id=digest, subject=change.path[:200])


async def _pause(ctx: TriggerContext, settling: Settling, notices: Notices | None, options: WatchOptions) -> None:
    """Wait until there may be something to tell."""
    if notices is None or not notices.works:
        longest_s = options.poll.total_seconds() if options.poll is not None else POLL_S
    else:
        longest_s = LOOK_EVERY_S
    rest_s = settling.wait_s(ctx.clock.monotonic_s())
    seconds = longest_s if rest_s is None else min(longest_s, max(rest_s, 0.01))
    if notices is None or not notices.works:
        await ctx.clock.sleep(seconds)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await notices.changed()
