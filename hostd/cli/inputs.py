"""Values from the command line: JSON as text, from `@FILE` or from `-`; labels; the text of files."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hostd.errors.base import HostdError, invalid
from hostd.values.json_text import JsonValue, parse_json

LISTED_MAX = 100_000
FILE_BYTES_MAX = 16 << 20  # far past every limit at the doors


def json_argument(text: str, option: str) -> JsonValue:
    """Return the value of an option: JSON text, `@FILE` with JSON text, or `-` for standard input.

    Raises:
        HostdError: PAYLOAD_INVALID or NUMBER_OUT_OF_RANGE naming the option, ARGUMENT_INVALID for the file.
    """
    data: bytes | str = text
    if text == "-" or text.startswith("@"):
        data = read_file(text.removeprefix("@"))
    try:
        return parse_json(data)
    except HostdError as error:
        shown = f" (in a shell: {option} '{{\"n\": 1}}')" if error.reason == "PAYLOAD_INVALID" and data == text else ""
        raise HostdError(error.kind, error.reason, f"{option}: {error.message}{shown}") from None


def read_file(name: str) -> bytes:
    """Return the bytes of a file, of standard input for `-`. Raises ARGUMENT_INVALID when it cannot be read."""
    if not name.strip():
        raise invalid(
            "ARGUMENT_INVALID", "the name of a file is empty; name one that is there, or - for standard input"
        )
    try:
        if name == "-":
            data = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    if len(data) > FILE_BYTES_MAX:
        raise invalid("ARGUMENT_INVALID", f"{file_label(name)} has more than {FILE_BYTES_MAX >> 20} MiB")
    return data


def read_text(name: str) -> str:
    """Return the text of a file. Raises ARGUMENT_INVALID when it cannot be read or is not UTF-8."""
    try:
        return read_file(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise invalid("ARGUMENT_INVALID", f"{file_label(name)} is not UTF-8 text: {error.reason}") from None


def read_lines(name: str) -> Iterator[bytes]:
    """Yield the lines of a file, of standard input for `-`, as they come. Raises ARGUMENT_INVALID.

    A file may be as large as it likes; a line at most as a value may be.
    """
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            while line := file.readline(FILE_BYTES_MAX + 1):
                if len(line) > FILE_BYTES_MAX:
                    raise invalid(
                        "ARGUMENT_INVALID", f"{file_label(name)}: a line has more than {FILE_BYTES_MAX >> 20} MiB"
                    )
                yield line.rstrip(b"\r\n")
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: OSError | ValueError) -> HostdError:
    """Return why a file cannot be read, and what to do about it."""
    path = Path(name)
    what = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    if isinstance(error, FileNotFoundError):
        what = _not_there(path)
    elif isinstance(error, IsADirectoryError):
        what = f"it is a folder; name files, such as {path / '*.yaml'}"
    elif isinstance(error, PermissionError):
        what = f"you may not; `ls -l {name}` shows who may"
    return invalid("ARGUMENT_INVALID", f"{name} cannot be read: {what}")


def _not_there(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        where = "" if path.is_absolute() else f" in {Path.cwd()}"
        return f"there is no folder {folder}{where}; name a file that is there"
    try:
        there = {entry.stem: entry for entry in itertools.islice(folder.iterdir(), LISTED_MAX)}
    except OSError:
        there = {}
    import difflib

    near = difflib.get_close_matches(path.stem, there, n=1)
    return f"there is no such file in {folder.absolute()}; " + (
        f"did you mean {there[near[0]]}?" if near else "name one that is there, or - for standard input"
    )


def file_label(name: str) -> str:
    """Return a file's name for messages."""
    return "<stdin>" if name == "-" else name


def pairs_argument(items: Iterable[str], option: str) -> dict[str, str]:
    """Return `NAME=VALUE` items as a mapping. Raises ARGUMENT_INVALID."""
    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise invalid("ARGUMENT_INVALID", f"{option}: {item[:80]!r} is not NAME=VALUE")
        if name in pairs:
            raise invalid("ARGUMENT_INVALID", f"{option}: {name[:80]!r} is given twice")
        pairs[name] = value
    return pairs


def listed(words: Iterable[str]) -> Iterator[str]:
    """Yield names as they were given; `-` stands for those on standard input, one a line, empty lines left out.

    Raises ARGUMENT_INVALID where `-` brings too many.
    """
    for word in words:
        if word != "-":
            yield word
            continue
        names = [line.strip() for line in read_text("-").splitlines() if line.strip()]
        if len(names) > LISTED_MAX:
            raise invalid("ARGUMENT_INVALID", f"standard input names {len(names)}, {LISTED_MAX} go at once")
        yield from names
