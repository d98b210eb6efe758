"""What lies in a wheel or a folder, read without running it; archives that are not what they should be."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from wheelhouse import plugin_wheel, write_wheel

from hostd.errors.base import HostdError
from hostd.host.installed import unpack as unpacking
from hostd.host.installed.offer import (
    Offer,
    check_folder_name,
    check_requirement,
    check_wheel_name,
    offer_of_folder,
    offer_of_wheel,
)
from hostd.host.process.launch import PERMISSIONS

MANIFEST = "manifest: 1\nid: greet\nruntime: python\npermissions: [net]\n"
PROJECT = """
[project]
name = "hostd-plugin-greet"
version = "3.1"
dependencies = ["hostd-sdk", "rich>=13"]
"""


def offered(wheel: Path) -> Offer:
    """Read a wheel."""
    return offer_of_wheel(wheel, wheel.parent)


def folder(tmp_path: Path, **files: str) -> Path:
    """Write a folder called Some Plugin."""
    home = tmp_path / "Some Plugin"
    for name, text in files.items():
        file = home / name.replace("__", "/").replace("_dot_", ".").replace("_dash_", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return home


def test_a_wheel_without_a_manifest_may_ask_for_everything(tmp_path: Path) -> None:
    """As any package of the daemon's environment may; the entry point names the plugin."""
    offer = offered(plugin_wheel(tmp_path, version="1.5"))
    assert (offer.id, offer.version, offer.entry_point) == ("greet", "1.5", "hostd_greet")
    assert offer.permissions == PERMISSIONS


@pytest.mark.parametrize("name", ["/etc/hostd-was-here", "../../was-here", "a/../../b", "a\\b"])
def test_a_wheel_whose_files_lie_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    """Before pip sees it."""
    wheel = plugin_wheel(tmp_path)
    with zipfile.ZipFile(wheel, "a") as opened:
        opened.writestr(name, "x")
    with pytest.raises(HostdError, match="is no path inside the folder"):
        offered(wheel)


def test_a_wheels_manifest_says_what_it_asks_for(tmp_path: Path) -> None:
    """It lies in the package; one for another plugin is refused."""
    assert offered(plugin_wheel(tmp_path / "a", manifest=MANIFEST)).permissions == {"net"}
    with pytest.raises(HostdError, match="they have to be the same"):
        offered(plugin_wheel(tmp_path / "b", manifest=MANIFEST.replace("greet", "other")))


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ("", "declares no plugin"),
        ("[console_scripts]\na = b\n", "declares no plugin"),
        ("[hostd.plugins]\na = a\nb = b\n", "declares 2 plugins (a, b)"),
        ("[hostd.plugins]\nNo = a\n", "'No', the name of the entry point, is no plugin id"),
        ("a = b\n", "entry_points.txt cannot be read"),
    ],
)
def test_a_wheel_holds_one_plugin(tmp_path: Path, points: str, why: str) -> None:
    """One by its entry points, with a name that is an id."""
    with pytest.raises(HostdError) as caught:
        offered(write_wheel(tmp_path, "some", "1", {"a.py": ""}, entry_points=points))
    assert why in caught.value.message


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    """Bytes, an archive without metadata, and files that are larger than they say."""
    file = tmp_path / "some-1-py3-none-any.whl"
    file.write_bytes(b"no archive")
    with pytest.raises(HostdError, match="is damaged"):
        offered(file)
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("a.py", "")
    with pytest.raises(HostdError, match="METADATA"):
        offered(file)


def test_a_project_is_a_package_by_its_entry_point(tmp_path: Path) -> None:
    """pip installs it; the manifest beside it says what it asks for."""
    project = PROJECT + "[project.entry-points.'hostd.plugins']\ngreet = 'hostd_greet'\n"
    home = folder(tmp_path, pyproject_dot_toml=project, hostd_dash_plugin_dot_yaml=MANIFEST)
    assert offer_of_folder(home) == Offer(
        "greet", "3.1", "python", frozenset({"net"}), home, "hostd_greet", (str(home),)
    )


def test_a_python_folder_brings_what_it_needs(tmp_path: Path) -> None:
    """Without an entry point it is served as it is; what its project and requirements.txt list goes to pip."""
    home = folder(
        tmp_path,
        pyproject_dot_toml=PROJECT,
        hostd_dash_plugin_dot_yaml=MANIFEST,
        requirements_dot_txt="aiohttp\n",
        greet____init___dot_py="",
    )
    offer = offer_of_folder(home)
    assert (offer.id, offer.entry_point) == ("greet", "")
    assert offer.requirements == ("hostd-sdk", "rich>=13", "--requirement", str(home / "requirements.txt"))


@pytest.mark.parametrize(
    "text", ["", "-r x", "a b", "--index-url=http://x", "a @ https://x/a.whl", "a; extra=='x'", "./a"]
)
def test_only_names_of_packages_are_fetched(text: str) -> None:
    """Nothing that pip would take for an option, a path or an address."""
    with pytest.raises(HostdError, match="PACKAGE_INVALID"):
        check_requirement(text)


@pytest.mark.parametrize(
    "name", ["", "../a-1-py3-none-any.whl", "a.whl", "a-1-py3-none-any.zip", "a/b-1-py3-none-any.whl"]
)
def test_names_of_wheels(name: str) -> None:
    """A path is none."""
    with pytest.raises(HostdError, match="PACKAGE_INVALID"):
        check_wheel_name(name)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "-r", "a\nb", "x" * 101])
def test_names_of_folders(name: str) -> None:
    """A path, an option and a hidden folder are none."""
    with pytest.raises(HostdError, match="PACKAGE_INVALID"):
        check_folder_name(name)


# -- unpacking


def packed(tmp_path: Path, *members: tuple[str, int, str]) -> Path:
    """Write an archive of (name, mode, text)."""
    file = tmp_path / "archive.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, mode, text in members:
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            opened.writestr(member, text)
    return file


def test_programs_stay_programs(tmp_path: Path) -> None:
    """Who may run a file is kept, nothing else of its mode."""
    file = packed(tmp_path, ("run.sh", 0o104777, "x"), ("sub/data", 0o100600, "y"), ("plain", 0, "z"))
    unpacking.unpack(file, tmp_path / "to")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "to").rglob("*") if path.is_file()}
    assert modes == {"run.sh": 0o755, "data": 0o644, "plain": 0o644}


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([("../x", 0, "")], "is no path inside"),
        ([("/etc/x", 0, "")], "is no path inside"),
        ([("a\\b", 0, "")], "is no path inside"),
        ([("link", 0o120777, "/etc/passwd")], "is no plain file"),
        ([("a", 0, ""), ("a/b", 0, "")], "names a file twice"),
        ([("big", 0, "x" * 5000)], "holds more than"),
        ([(f"f{n}", 0, "") for n in range(20)], "holds more than"),
    ],
)
def test_nothing_lands_elsewhere_or_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: list[tuple[str, int, str]], why: str
) -> None:
    """Paths that lead out, links, names that are there twice, and more than is allowed."""
    monkeypatch.setattr(unpacking, "FILES_MAX", 10)
    monkeypatch.setattr(unpacking, "BYTES_MAX", 1000)
    with pytest.raises(HostdError) as caught:
        unpacking.unpack(packed(tmp_path, *members), tmp_path / "to")
    assert why in caught.value.message
    assert not (tmp_path / "x").exists()
