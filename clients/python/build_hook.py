"""Two wheels from one tree.

`hostd` holds everything but the folders of SDK_FOLDERS and depends on `hostd-sdk` of the same version, which holds just
those folders. An editable install of `hostd` shows the whole tree, so it takes the SDK's own dependencies instead.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SDK_FOLDERS = ("client", "errors", "plugin", "v1", "values")
GENERATED = ("__pycache__", ".pyc")


def _tree(root: Path) -> Path:
    """Return the folder that holds `hostd/`: the repository, or the unpacked source archive of the SDK."""
    return root if (root / "hostd").is_dir() else root.parent.parent


def _version(root: Path) -> str:
    text = (_tree(root) / "hostd/values/version.py").read_text(encoding="utf-8")
    found = re.search(r'VERSION = "([^"]+)"', text)
    if found is None:
        raise ValueError("hostd/values/version.py names no VERSION")
    return found[1]


class WheelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds what each of the two wheels lacks."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add dependencies to `hostd`, files to `hostd-sdk`; `version` is `standard` or `editable`."""
        root = Path(self.root)
        if self.metadata.core.raw_name == "hostd":
            if self.target_name == "wheel":
                build_data["dependencies"].extend(self._sdk(root, editable=version == "editable"))
        elif version == "editable":
            raise ValueError("hostd-sdk is not installed editable: install the repository's root instead")
        else:
            build_data["force_include"].update(_sdk_files(_tree(root)))

    def _sdk(self, root: Path, *, editable: bool) -> list[str]:
        if not editable:
            return [f"hostd-sdk=={self.metadata.version}"]
        text = (root / "clients/python/pyproject.toml").read_text(encoding="utf-8")
        return list(tomllib.loads(text)["project"]["dependencies"])


class VersionHook(MetadataHookInterface):
    """Gives hostd-sdk the version of the tree."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `version`."""
        metadata["version"] = _version(Path(self.root))


def _sdk_files(tree: Path) -> dict[str, str]:
    """Return {file on disk: path in the archive} of what hostd-sdk ships."""
    files = {}
    for folder in SDK_FOLDERS:
        for file in sorted((tree / "hostd" / folder).rglob("*")):
            if file.is_file() and not any(mark in str(file) for mark in GENERATED):
                files[str(file)] = file.relative_to(tree).as_posix()
    return files
