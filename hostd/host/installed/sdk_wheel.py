"""The wheel of `hostd-sdk` for a plugin's environment, made of the very files that this daemon runs."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import TYPE_CHECKING

from hostd.errors.base import HostdError, Kind
from hostd.values import version
from hostd.values.lazily import lazily
from hostd.values.version import VERSION

if TYPE_CHECKING:
    import tomllib
else:
    tomllib = lazily("tomllib")

NAME = "hostd-sdk"
SDK_FOLDERS = ("client", "errors", "plugin", "v1", "values")
_TREE = Path(version.__file__).parents[2]
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel


def write_sdk_wheel(folder: Path) -> Path:
    """Write the wheel into a folder; return its file. Blocks. Raises HostdError INSTALL_FAILED, OSError."""
    info = f"hostd_sdk-{VERSION}.dist-info"
    wheel = folder / f"hostd_sdk-{VERSION}-py3-none-any.whl"
    contents = dict(_files())
    contents[f"{info}/METADATA"] = _metadata().encode()
    contents[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hostd\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},{_hash(data)},{len(data)}\n" for name, data in contents.items())
    contents[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
    return wheel


def _files() -> list[tuple[str, bytes]]:
    everything = (file for name in SDK_FOLDERS for file in sorted((_TREE / "hostd" / name).rglob("*")))
    files = (file for file in everything if file.is_file() and "__pycache__" not in file.parts)
    return [(file.relative_to(_TREE).as_posix(), file.read_bytes()) for file in files]


def _metadata() -> str:
    head = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nRequires-Python: >=3.11\n"
    return head + "".join(f"Requires-Dist: {one}\n" for one in sdk_requirements())


def sdk_requirements() -> list[str]:
    """Return what the SDK needs, as its package says, or its source tree. Raises HostdError INSTALL_FAILED."""
    try:
        return [one for one in requires(NAME) or () if "extra ==" not in one]
    except PackageNotFoundError:
        pass
    try:
        text = (_TREE / "clients/python/pyproject.toml").read_text(encoding="utf-8")
        return [str(one) for one in tomllib.loads(text)["project"]["dependencies"]]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        message = f"this hostd has neither the package {NAME} nor its source, which plugins are installed with"
        raise HostdError(Kind.STATE, "INSTALL_FAILED", message) from None


def _hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
