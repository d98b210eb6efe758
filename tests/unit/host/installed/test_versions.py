"""From a version on disk to what is served of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from wheelhouse import plugin_wheel

from hostd.host.installed.environment import FOLDER, site_of
from hostd.host.installed.shelf import Install
from hostd.host.installed.versions import PYTHON, version_of

MANIFEST = """
manifest: 1
id: greet
runtime: python
permissions: [net, kv]
provides:
  greet.say: {kind: action, effects: none}
"""


def package(home: Path) -> Install:
    """Put a wheel into the environment of a version, as pip would."""
    with zipfile.ZipFile(plugin_wheel(home, manifest=MANIFEST)) as opened:
        opened.extractall(site_of(home / FOLDER))
    return Install("greet", "1.0", "python", ("net",), "0" * 64, entry_point="hostd_greet", python=PYTHON)


def folder(home: Path) -> Install:
    """Put a folder beside the environment of a version."""
    place = home / "greet"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise OSError")
    (place / "hostd-plugin.yaml").write_text(MANIFEST)
    return Install("greet", "1.0", "python", ("net",), "0" * 64, folder="greet", python=PYTHON)


@pytest.mark.parametrize("put", [package, folder])
def test_what_its_manifest_provides_is_known_before_it_runs(tmp_path: Path, put: object) -> None:
    """Of a wheel and of a folder alike; what it may do is what was accepted when it was installed."""
    launch = version_of(put(tmp_path / "1"), tmp_path / "1").found.launch  # type: ignore[operator]
    assert launch is not None
    assert [one.id for one in launch.provides] == ["greet.say"]
    assert launch.permissions == {"net"}
