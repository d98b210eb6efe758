"""Where a journal may lie: a folder that can be written, on a file system whose locks hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hostd.errors.base import HostdError, Kind

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    """nfs nfs4 cifs smb3 smbfs afs ceph glusterfs lustre beegfs ncpfs ocfs2 gpfs davfs fuse.sshfs fuse.glusterfs
    fuse.s3fs fuse.rclone fuse.davfs fuse.gcsfuse fuse.cephfs fuse.beegfs fuse.smbnetfs""".split()  # noqa: SIM905
)


def prepare_folder(folder: Path) -> None:
    """Make the folder if it is not there (owner only) and refuse one that will not do.

    Raises:
        HostdError: JOURNAL_READ_ONLY, JOURNAL_NETWORK_FS.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _read_only(f"The data folder {folder} cannot be made: {error}.") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _read_only(f"The data folder {folder} cannot be written by this user.")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise _read_only(f"The data folder {folder} lies on a file system that is mounted read-only.")
    if _MOUNTS.exists():  # Linux; elsewhere nothing tells the kind without a compiler
        kind = mount_kind(_MOUNTS.read_text("utf-8", "replace"), folder.resolve())
        if kind in _NETWORK:
            message = (
                f"{folder} lies on a network file system ({kind}), where SQLite's locks do not hold; use a local disk."
            )
            raise HostdError(Kind.UNSUPPORTED, "JOURNAL_NETWORK_FS", message, details={"kind": kind})


def check_file(path: Path) -> None:
    """Refuse a journal file that is there and cannot be written. Raises HostdError JOURNAL_READ_ONLY."""
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise _read_only(f"{path} cannot be written by this user; check owner and rights.")


def same_file(path: Path) -> Callable[[], HostdError | None]:
    """Return what says whether another file, or none, lies at a path by now: what is written then is lost at the end.

    A backup still works, so the daemon goes on and takes nothing new. It takes microseconds.
    """
    name, found = str(path), path.stat()
    opened = found.st_ino, found.st_dev

    def check() -> HostdError | None:
        try:
            there = os.stat(name)  # three times as fast as Path's
        except OSError:
            return _replaced(path)
        return None if (there.st_ino, there.st_dev) == opened else _replaced(path)

    return check


def mount_kind(mountinfo: str, path: Path) -> str:
    """Return the file system type of the mount that holds an absolute path; the text is proc(5) mountinfo."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = fields[4].replace("\\040", " ")
        inside = path.is_relative_to(point)
        if inside and len(point) >= len(best):  # later lines cover earlier ones
            best, kind = point, after.split()[0]
    return kind


def _replaced(path: Path) -> HostdError:
    message = f"{path} was removed or replaced while it was open; nothing was written"
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_REPLACED", message)


def _read_only(message: str) -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message)
