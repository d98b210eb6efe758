"""Archives from outside: nothing lands beside the target, and nothing grows past its bound."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from hostd.errors.base import HostdError, invalid

FILES_MAX = 10_000
BYTES_MAX = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
NAME_CHARS_MAX = 1_000
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def broken(message: str) -> HostdError:
    """Return the error for what is no plugin."""
    return invalid("PACKAGE_INVALID", message)


def unpack(archive: Path, target: Path) -> None:
    """Write an archive's files below a folder, which is made. Blocks. Raises HostdError PACKAGE_INVALID, OSError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            left = BYTES_MAX
            if len(opened.infolist()) > FILES_MAX:
                raise broken(f"the folder holds more than {FILES_MAX:,} files")
            target.mkdir(mode=0o700)
            for member in opened.infolist():
                left -= _write(opened, member, target, left)
    except DAMAGED as error:
        raise broken(f"the archive is damaged: {error}") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise broken(f"the archive names a file twice: {error}") from None


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one file; return its size."""
    path = target / _inside(member.filename)
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return 0
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise broken(f"{member.filename[:200]!r} is no plain file; links and devices are not taken")
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(member) as source, path.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if size > left:
                raise broken(f"the folder holds more than {BYTES_MAX >> 20} MiB")
            file.write(chunk)
    path.chmod(0o755 if mode & 0o100 else 0o644)
    return size


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    odd = not path.parts or len(name) > NAME_CHARS_MAX or "\\" in name or "\0" in name
    if odd or path.is_absolute() or ".." in path.parts:
        raise broken(f"{name[:200]!r} is no path inside the folder")
    return path
