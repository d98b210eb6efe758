"""The Unix socket: whoever may open it is trusted, so nobody else may.

It lies in `<data>/run/`, which is ours and 0700; the socket itself is 0600. The kernel takes about a hundred bytes of
path: past that it lies in a folder of its own below $XDG_RUNTIME_DIR (or the system's temporary folder), and
`<data>/run/address` says where.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hostd.errors.base import HostdError, Kind, invalid

PATH_BYTES_MAX = 100
SOCKET_NAME = "hostd.sock"


def prepare_socket(data: Path, environ: Mapping[str, str] = os.environ, *, name: str = SOCKET_NAME) -> Path:
    """Return where the socket is to lie, its folder made and checked, nothing in the way.

    The caller holds the journal's lock, so a socket that is there belongs to a daemon that is gone.

    Raises:
        HostdError: CONFIG_INVALID for a folder that others may enter or own; JOURNAL_READ_ONLY where none can be made.
    """
    run = data.absolute() / "run"
    try:
        own_folder(run)
        path = run / name
        address = run / ("address" if name == SOCKET_NAME else f"{name}.address")
        if len(os.fsencode(path)) > PATH_BYTES_MAX:
            path = own_folder(_elsewhere(data, environ)) / name
            address.write_text(f"unix:{path}\n", encoding="utf-8")
        else:
            address.unlink(missing_ok=True)
        _clear(path)
    except OSError as error:
        message = f"the socket's folder cannot be used: {error}"
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message) from None
    return path


def own_folder(folder: Path) -> Path:
    """Return a folder that only we may enter, made where it is not there. Raises HostdError CONFIG_INVALID, OSError."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        message = f"{folder} must be a folder of this user that nobody else may enter (chmod 700)"
        raise invalid("CONFIG_INVALID", message)
    return folder


def _elsewhere(data: Path, environ: Mapping[str, str]) -> Path:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    name = hashlib.blake2b(os.fsencode(data.absolute()), digest_size=6).hexdigest()
    folder = Path(runtime) / f"hostd-{name}"
    if runtime and len(os.fsencode(folder / SOCKET_NAME)) <= PATH_BYTES_MAX:
        return folder
    return Path(tempfile.gettempdir()) / f"hostd-{os.geteuid()}-{name}"


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise invalid("CONFIG_INVALID", f"{path} is in the way of the socket and is none; move it")
    path.unlink()
