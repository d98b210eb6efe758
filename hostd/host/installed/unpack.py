"""Archives from outside: nothing lands beside the target, and nothing grows past its bound."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hostd.errors.base import HostdError, invalid

FILES_MAX = 10_000
BYTES_MAX = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
NAME_CHARS_MAX = 1_000
READ_BYTES_MAX = 4 * 1024 * 1024  # in one piece: the list of an archive's files, which is read whole
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others cannot be unpacked in bounded pieces
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def broken(message: str) -> HostdError:
    """Return the error for what is no plugin."""
    return invalid("PACKAGE_INVALID", message)


class _Bounded(io.FileIO):
    """A file that is read in pieces of a bounded size."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = READ_BYTES_MAX + 1 if size is None or size < 0 else min(size, READ_BYTES_MAX + 1)
        data = super().read(wanted) or b""
        if len(data) > READ_BYTES_MAX:
            raise broken(f"the archive lists more than {FILES_MAX:,} files, or under very long names")
        return data


@contextmanager
def open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose list of files, and whatever is read of it in pieces, fits into memory. Blocks.

    Raises:
        HostdError: PACKAGE_INVALID.
    """
    with _Bounded(file) as raw, zipfile.ZipFile(raw) as opened:
        members = opened.infolist()
        if len(members) > FILES_MAX:
            raise broken(f"the archive holds more than {FILES_MAX:,} files")
        odd = next((member.filename for member in members if member.compress_type not in _METHODS), None)
        if odd is not None:
            raise broken(f"{odd[:200]!r} is packed in another way than `deflate`, which is the only one that is taken")
        yield opened


def unpack(archive: Path, target: Path) -> None:
    """Write an archive's files below a folder, which is made. Blocks. Raises HostdError PACKAGE_INVALID, OSError."""
    try:
        with open_archive(archive) as opened:
            left = BYTES_MAX
            target.mkdir(mode=0o700)
            for member in opened.infolist():
                left -= _write(opened, member, target, left)
    except DAMAGED as error:
        raise broken(f"the archive is damaged: {error}") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise broken(f"the archive names a file twice: {error}") from None


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one file; return its size."""
    path = target / inside(member.filename)
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


def inside(name: str) -> PurePosixPath:
    """Return a name in an archive as a path below the folder it is unpacked to. Raises HostdError PACKAGE_INVALID."""
    path = PurePosixPath(name)
    odd = not path.parts or len(name) > NAME_CHARS_MAX or "\\" in name or "\0" in name
    if odd or path.is_absolute() or ".." in path.parts:
        raise broken(f"{name[:200]!r} is no path inside the folder")
    return path
