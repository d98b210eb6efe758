"""Finding plugins that packages provide: by their entry points, without importing them."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from wheelhouse import write_wheel

from hostd.host.assembly import Assembly
from hostd.host.discover import find_installed
from hostd.host.found import Choices, PluginState, Source
from hostd.host.host import PluginHost


def site(tmp_path: Path, *named: tuple[str, str]) -> list[str]:
    """Install a package for each (its name, its entry point); return where they are."""
    folder = tmp_path / "site"
    for name, point in named:
        points = f"[hostd.plugins]\n{point}\n"
        wheel = write_wheel(tmp_path / "wheels", name, "1.0", {f"{name}.py": "raise OSError"}, entry_points=points)
        with zipfile.ZipFile(wheel) as opened:  # as pip would, for a package this plain
            opened.extractall(folder)
    return [str(folder)]


def test_a_package_is_started_by_this_interpreter(tmp_path: Path) -> None:
    """Nothing is imported; the process gets the entry point as it is written."""
    [found] = find_installed(site(tmp_path, ("one", "greet = one:plugin")))
    assert (found.id, found.version, found.source) == ("greet", "1.0", Source.PACKAGE)
    assert found.launch is not None
    assert found.launch.command == (sys.executable, "-m", "hostd.plugin.process", "--entry-point", "one:plugin")


def test_a_name_that_is_no_id_is_listed_and_never_started(tmp_path: Path) -> None:
    """Files of a process are named by its plugin's id."""
    host = PluginHost()
    host.load(find_installed(site(tmp_path, ("one", "../Greet = one"))))
    [report] = host.registry.plugins
    assert (report.state, report.message) == (
        PluginState.FAILED,
        "'../Greet' is no plugin id; write lower case, such as price-feed",
    )
    assert not host.outside


def test_of_two_packages_with_one_id_the_first_is_started(tmp_path: Path) -> None:
    """The second is listed with the first one's origin."""
    found = find_installed(site(tmp_path, ("one", "greet = one"), ("two", "greet = two")))
    first, second = Assembly(Choices(), clock=None, data_dir=None).build(found).plugins  # type: ignore[arg-type]
    assert first.state is PluginState.NEEDS_PROCESS
    assert (second.state, second.message) == (
        PluginState.FAILED,
        "another plugin has the id greet already: one 1.0 (one)",
    )
    host = PluginHost()
    host.load(found)
    assert host.outside
