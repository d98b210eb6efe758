"""Paths within the operator's roots, reached by open folders only: what a name means cannot change under our hands."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import NamedTuple

from hostd.plugin import Field, Options

PATH_CHARS_MAX = 4096
NAME_MODE = 0o777
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
SETTING = "plugins.settings.file.roots"


class FileSettings(Options):
    """What the operator permits."""

    roots: list[str] = Field(
        default_factory=list,
        description="Folders whose files workflows may use, as absolute paths; none = every file action is refused.",
        examples=[["/srv/exchange"]],
        max_length=64,
    )


class PathDenied(Exception):
    """A path that may not be used, and why."""


class Spot(NamedTuple):
    """An entry of an open folder; `name` is `.` for a root itself. `path` is for people and events."""

    folder: int
    name: str
    path: str


class Roots:
    """The folders that may be used. Symbolic links below them are refused, wherever they lead.

    Args:
        setting: what the operator calls them, for messages.
    """

    def __init__(self, roots: Sequence[str], setting: str = SETTING) -> None:
        self._setting = f"the operator's setting `{setting}`"
        self._roots: list[tuple[str, str]] = []  # as it is written in paths, as it is opened
        for root in roots:
            real = os.path.realpath(os.path.expanduser(root))
            self._roots += [(os.path.normpath(os.path.expanduser(root)), real), (real, real)]

    def locate(self, path: str) -> tuple[str, tuple[str, ...]]:
        """Return the root a path lies in, and the names below it. A relative path lies in the first root.

        Raises:
            PathDenied: no roots are set, the path lies in none, or goes upward.
        """
        if not self._roots:
            raise PathDenied(f"no folder may be used; {self._setting} is empty")
        if "\x00" in path or not path or len(path) > PATH_CHARS_MAX:
            raise PathDenied(f"the path is empty, longer than {PATH_CHARS_MAX} characters, or holds a zero byte")
        given = PurePosixPath(path)
        if ".." in given.parts:
            raise PathDenied(f"{path!r} goes upward with `..`; write the path without it")
        if not given.is_absolute():
            return self._roots[0][1], given.parts
        for written, real in self._roots:
            if given.is_relative_to(written):
                return real, given.relative_to(written).parts
        raise PathDenied(f"{path!r} lies in none of the folders of {self._setting}")

    @contextmanager
    def spot(self, path: str, *, create_parents: bool = False) -> Iterator[Spot]:
        """Open the folder a path lies in, for the time of the block.

        Raises:
            PathDenied: as `locate`; a folder on the way is a symbolic link.
            OSError: a folder on the way is missing or none.
        """
        root, names = self.locate(path)
        folder = _open_root(root, self._setting)
        try:
            for at, name in enumerate(names[:-1]):
                deeper = _descend(folder, name, os.path.join(root, *names[: at + 1]), create=create_parents)
                os.close(folder)
                folder = deeper
            yield Spot(folder, names[-1] if names else ".", os.path.join(root, *names))
        finally:
            os.close(folder)

    @contextmanager
    def folder(self, path: str) -> Iterator[tuple[int, str]]:
        """Open a folder for the time of the block; gives it and its path. Raises as `spot`."""
        with self.spot(path) as spot:
            opened = _descend(spot.folder, spot.name, spot.path)
            try:
                yield opened, spot.path
            finally:
                os.close(opened)


def open_file(spot: Spot, flags: int, mode: int = 0o600) -> int:
    """Open a plain file without following a link or waiting for a pipe.

    Raises:
        PathDenied: it is a symbolic link, a folder, a pipe or a device.
        OSError: it is missing, or may not be opened.
    """
    try:
        opened = os.open(
            spot.name, flags | _NO_LINK | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0), mode, dir_fd=spot.folder
        )
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise _link(spot.path) from None
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise PathDenied(f"{spot.path} is no plain file") from None
        raise
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise PathDenied(f"{spot.path} is no plain file")
    return opened


def look(spot: Spot) -> os.stat_result | None:
    """Return what lies at a spot (a link is a link), None when nothing does."""
    try:
        return os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_supported() -> bool:
    """Say whether this system opens files relative to open folders; Windows does not."""
    return os.open in os.supports_dir_fd and bool(_NO_LINK)


def _open_root(root: str, setting: str) -> int:
    try:
        return os.open(root, _FOLDER)
    except OSError as error:
        raise PathDenied(f"{root} of {setting} cannot be opened: {error.strerror}") from None


def _descend(folder: int, name: str, path: str, *, create: bool = False) -> int:
    for _ in range(2):
        try:
            return os.open(name, _FOLDER | _NO_LINK, dir_fd=folder)
        except FileNotFoundError:
            if not create:
                raise FileNotFoundError(errno.ENOENT, "No such folder", path) from None
            _make_folder(folder, name)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR) and _is_link(folder, name):
                raise _link(path) from None
            raise OSError(error.errno, error.strerror, path) from None
    raise FileNotFoundError(errno.ENOENT, "No such folder", path)


def _make_folder(folder: int, name: str) -> None:
    try:
        os.mkdir(name, NAME_MODE, dir_fd=folder)
    except FileExistsError:
        return  # somebody made it just now


def _is_link(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _link(path: str) -> PathDenied:
    return PathDenied(f"{path} is a symbolic link; links are not followed")
