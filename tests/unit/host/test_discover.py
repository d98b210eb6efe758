"""Finding plugins that packages provide: by their entry points, without importing them."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from wheelhouse import plugin_wheel, write_wheel

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


MANIFEST = """
manifest: 1
id: greet
runtime: python
permissions: [net]
provides:
  greet.say: {kind: action, effects: none, description: Greets.}
"""


def greeter(tmp_path: Path, manifest: str) -> list[str]:
    """Install a package with a manifest beside its code; return where it is."""
    with zipfile.ZipFile(plugin_wheel(tmp_path / "wheels", manifest=manifest, code="raise OSError")) as opened:
        opened.extractall(tmp_path / "site")
    return [str(tmp_path / "site")]


@pytest.mark.parametrize("imported", [False, True])
def test_a_packages_manifest_says_what_it_asks_for_and_serves(
    tmp_path: Path, imported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in the package, which is not imported for it; what it does not ask for it is not given."""
    site = greeter(tmp_path, MANIFEST)
    monkeypatch.syspath_prepend(site[0])
    [found] = [one for one in find_installed(None if imported else site) if one.id == "greet"]
    assert found.launch is not None
    assert found.launch.permissions == {"net"}
    assert [(one.id, one.kind, one.effects) for one in found.launch.provides] == [("greet.say", "action", "none")]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (MANIFEST.replace("net", "everything"), "(line 5)"),
        (MANIFEST.replace("id: greet", "id: other"), "says id: other"),
    ],
)
def test_a_package_with_a_manifest_that_does_not_fit_is_listed_with_why(
    tmp_path: Path, manifest: str, why: str
) -> None:
    """It is not started with more than it may have asked for."""
    host = PluginHost()
    host.load(find_installed(greeter(tmp_path, manifest)))
    [report] = host.registry.plugins
    assert (report.state, report.reason) == (PluginState.FAILED, "MANIFEST_INVALID")
    assert why in report.message
    assert not host.outside


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


@pytest.mark.parametrize("declares", [False, True])
def test_of_two_copies_of_a_package_the_first_on_the_path_counts(tmp_path: Path, declares: bool) -> None:
    """A copy further down is not what would be imported: its plugins are not found, whether the first has any."""
    first = site(tmp_path / "first", ("one", "greet = one:plugin" if declares else ""))
    second = site(tmp_path / "second", ("one", "greet = one:older"))
    assert [found.origin for found in find_installed(first + second)] == ["one 1.0 (one:plugin)"] * declares
    assert [found.origin for found in find_installed(second)] == ["one 1.0 (one:older)"]


def test_packages_without_plugins_are_passed_over(tmp_path: Path) -> None:
    """What is installed and declares nothing is not looked at further, damaged as it may be."""
    damaged = tmp_path / "site" / "other-1.0.dist-info"
    damaged.mkdir(parents=True)
    (damaged / "METADATA").write_bytes(b"\xff\xfe")
    assert find_installed([str(tmp_path / "site")]) == []
