"""`file.delete`: a file, or a folder."""

from __future__ import annotations

import os
import shutil
import stat

from hostd.plugin import ActionContext, Field, JsonValue
from hostd_builtin.file.action import FileAction, PathOptions
from hostd_builtin.file.failures import told
from hostd_builtin.file.roots import PathDenied, Spot, look


class DeleteOptions(PathOptions):
    """What to delete."""

    missing_ok: bool = Field(True, description="Whether it is fine when nothing is there.")
    recursive: bool = Field(False, description="Whether a folder goes with all that is in it; else it must be empty.")


class Delete(FileAction[DeleteOptions]):
    """Deletes a file, a link itself, or a folder; never a root."""

    id, since, stability, effects = "file.delete", "0.1", "stable", "idempotent"

    def run(self, ctx: ActionContext, options: DeleteOptions) -> JsonValue:
        """Delete."""
        with told(options.path):
            try:
                with self.roots.spot(options.path) as spot:
                    _delete(spot, recursive=options.recursive)
                    return {"path": spot.path, "deleted": True}
            except FileNotFoundError:
                if not options.missing_ok:
                    raise
                return {"path": options.path, "deleted": False}


def _delete(spot: Spot, *, recursive: bool) -> None:
    if spot.name == ".":
        raise PathDenied(f"{spot.path} is a root itself")
    there = look(spot)
    if there is None:
        raise FileNotFoundError(2, "No such file", spot.path)
    if not stat.S_ISDIR(there.st_mode):
        os.unlink(spot.name, dir_fd=spot.folder)
    elif recursive:
        shutil.rmtree(spot.name, dir_fd=spot.folder)  # safe against links put in its way: it holds what it walks open
    else:
        os.rmdir(spot.name, dir_fd=spot.folder)
