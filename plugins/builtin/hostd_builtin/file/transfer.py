"""`file.copy` and `file.move`: one file to another place within the roots."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from hostd.plugin import ActionContext, Field, JsonValue
from hostd_builtin.file.action import CHUNK_BYTES, FileAction, PathOptions
from hostd_builtin.file.atomic import open_plain, put
from hostd_builtin.file.failures import stopped, told
from hostd_builtin.file.roots import PATH_CHARS_MAX, PathDenied, Spot, look, open_file


class TransferOptions(PathOptions):
    """From where to where."""

    to: str = Field(
        description="Path of the file there, written as `path`; no folder.",
        min_length=1,
        max_length=PATH_CHARS_MAX,
        examples=["done/today.json"],
    )
    when_exists: Literal["replace", "fail"] = Field(
        "replace", description="If a file is there: `replace` it, or `fail`."
    )
    create_parents: bool = Field(False, description="Whether folders on the way that are missing are made.")


class Transfer(FileAction[TransferOptions]):
    """Base of both."""

    @contextmanager
    def both(self, options: TransferOptions) -> Iterator[tuple[Spot, Spot]]:
        """Open both folders for the time of the block; what goes wrong in it is told as an ActionError."""
        with (
            told(options.path),
            self.roots.spot(options.path) as source,
            told(options.to),
            self.roots.spot(options.to, create_parents=options.create_parents) as target,
        ):
            yield source, target


class Copy(Transfer):
    """Copies a file with its permissions; others see the whole copy or none."""

    id, since, stability, effects = "file.copy", "0.1", "stable", "idempotent"

    def run(self, ctx: ActionContext, options: TransferOptions) -> JsonValue:
        """Copy."""
        with self.both(options) as (source, target):
            size = copy(ctx, source, target, replace=options.when_exists == "replace")
            return {"path": target.path, "from": source.path, "size": size}


class Move(Transfer):
    """Moves a file: a rename, between file systems a copy whose original is then deleted."""

    id, since, stability, effects = "file.move", "0.1", "stable", "at_most_once"

    def run(self, ctx: ActionContext, options: TransferOptions) -> JsonValue:
        """Move."""
        with self.both(options) as (source, target):
            there = _check(source, target)
            _move(ctx, source, target, replace=options.when_exists == "replace")
            return {"path": target.path, "from": source.path, "size": there.st_size}


def copy(ctx: ActionContext, source: Spot, target: Spot, *, replace: bool) -> int:
    """Copy a file; return its size in bytes. Raises as `put`."""
    opened = open_file(source, os.O_RDONLY)
    try:
        found = os.fstat(opened)
        there = look(target)
        if there is not None and os.path.samestat(found, there):
            raise PathDenied(f"{source.path} and {target.path} are the same file")
        return put(target, _parts(ctx, opened), mode=stat.S_IMODE(found.st_mode) & 0o777, replace=replace)
    finally:
        os.close(opened)


def _parts(ctx: ActionContext, opened: int) -> Iterator[bytes]:
    while part := os.read(opened, CHUNK_BYTES):
        if ctx.cancel.requested:
            raise stopped()
        yield part


def _check(source: Spot, target: Spot) -> os.stat_result:
    """Return what is to be moved. Raises PathDenied unless it is a plain file, and may take the place of the target."""
    opened = open_plain(source)
    try:
        found = os.fstat(opened)
    finally:
        os.close(opened)
    there = look(target)
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise PathDenied(f"{target.path} is no plain file")
    if there is not None and os.path.samestat(found, there):
        raise PathDenied(f"{source.path} and {target.path} are the same file")
    return found


def _move(ctx: ActionContext, source: Spot, target: Spot, *, replace: bool) -> None:
    places = {"src_dir_fd": source.folder, "dst_dir_fd": target.folder}
    try:
        if replace:
            os.rename(source.name, target.name, **places)
            return
        os.link(source.name, target.name, follow_symlinks=False, **places)  # a rename would replace what is there
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy(ctx, source, target, replace=replace)
    os.unlink(source.name, dir_fd=source.folder)
