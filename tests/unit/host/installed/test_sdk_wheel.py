"""The wheel of hostd-sdk that is made of what runs is the one that is published."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from pathlib import Path

from tree import ROOT

from hostd.host.installed.sdk_wheel import SDK_FOLDERS, sdk_requirements, write_sdk_wheel
from hostd.values.version import VERSION


def test_it_holds_the_same_folders() -> None:
    """As the build hook says."""
    hook = (ROOT / "clients/python/build_hook.py").read_text()
    assert re.search(r"^SDK_FOLDERS = (.*)$", hook, re.MULTILINE)[1] == str(SDK_FOLDERS).replace("'", '"')  # type: ignore[index]


def test_it_is_a_wheel_of_this_version(tmp_path: Path) -> None:
    """With every file of those folders, what the SDK needs, and a record of it all."""
    with zipfile.ZipFile(write_sdk_wheel(tmp_path)) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"hostd_sdk-{VERSION}.dist-info/METADATA").decode()
        record = wheel.read(f"hostd_sdk-{VERSION}.dist-info/RECORD").decode()
    modules = {
        file.relative_to(ROOT).as_posix() for folder in SDK_FOLDERS for file in (ROOT / "hostd" / folder).rglob("*.py")
    }
    assert modules <= names
    assert not any(name.startswith(("hostd/host/", "hostd/api/")) or "__pycache__" in name for name in names)
    assert {line.partition(",")[0] for line in record.splitlines()} == names
    assert f"Version: {VERSION}\n" in metadata
    assert all(f"Requires-Dist: {one}\n" in metadata for one in sdk_requirements())
    assert any(one.startswith("grpcio") for one in sdk_requirements())
    assert importlib.util.find_spec("hostd.plugin.process") is not None
