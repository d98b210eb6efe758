"""What lies in what was sent: which plugin, and what it asks for; read without running any of it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.host.folders.manifest import FILE_NAME, PLUGIN_ID, Manifest, read_manifest
from hostd.host.folders.packaged import manifest_names
from hostd.host.folders.scan import read_folder
from hostd.host.installed.unpack import BYTES_MAX, DAMAGED, broken, inside, open_archive
from hostd.host.process.launch import PERMISSIONS
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import configparser
    import tomllib
else:
    configparser, tomllib = lazily("configparser"), lazily("tomllib")

GROUP = "hostd.plugins"
TEXT_BYTES_MAX = 1024 * 1024
DEPENDENCIES_MAX = 1_000
REQUIREMENTS_FILE = "requirements.txt"


class Offer(NamedTuple):
    """A plugin that may be installed.

    Args:
        runtime: python, lua or exec.
        entry_point: `module[:attr]` of a package that pip installs; empty for a folder that is served as it is.
        version: empty where only the installed package knows it.
        requirements: what pip is given beside hostd-sdk.
    """

    id: str
    version: str
    runtime: str
    permissions: frozenset[str]
    path: Path
    entry_point: str = ""
    requirements: tuple[str, ...] = ()


def check_requirement(text: str) -> str:
    """Return a requirement that names a package and versions. Raises HostdError PACKAGE_INVALID."""
    # Imported here: 30 ms that the daemon's start need not wait for.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        raise broken(f"{text[:200]!r} names no package: {str(error).splitlines()[0]}") from None
    if parsed.url or parsed.marker:
        raise broken(f"{text[:200]!r}: write a package's name and versions; for a URL, fetch the wheel and send that")
    return str(parsed)


def check_wheel_name(name: str) -> str:
    """Return a wheel's file name. Raises HostdError PACKAGE_INVALID."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise broken(f"{name[:200]!r} is no name of a wheel: {error}") from None
    if not re.fullmatch(r"[A-Za-z0-9._+!-]{1,200}", name):
        raise broken(f"{name[:200]!r} is no name of a wheel")
    return name


def check_folder_name(name: str) -> str:
    """Return a folder's name. Raises HostdError PACKAGE_INVALID."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9 ._+-]{0,99}", name):
        raise broken(f"{name[:200]!r} is no name of a plugin's folder; letters, digits, `-`, `_` and `.` are")
    return name


# -- wheels


def offer_of_wheel(wheel: Path, staging: Path) -> Offer:
    """Return what plugin a wheel holds. Blocks.

    Args:
        staging: a folder to work in.

    Raises:
        HostdError: PACKAGE_INVALID, MANIFEST_INVALID.
    """
    try:
        with open_archive(wheel) as opened:
            return _offer_of_wheel(opened, wheel, staging)
    except DAMAGED as error:
        raise broken(f"{wheel.name} is damaged: {error}") from None


def _offer_of_wheel(opened: zipfile.ZipFile, wheel: Path, staging: Path) -> Offer:
    if sum(member.file_size for member in opened.infolist()) > BYTES_MAX:
        raise broken(f"{wheel.name} holds more than {BYTES_MAX >> 20} MiB")
    for name in opened.namelist():
        inside(name)
    info = [name for name in opened.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
    if len(info) != 1:
        raise broken(f"{wheel.name} is no wheel: it has no *.dist-info/METADATA")
    found = re.search(r"^Version:[ \t]*(\S+)", _text(opened, info[0]), re.MULTILINE)
    points = info[0].replace("METADATA", "entry_points.txt")
    named = _entry_points(_text(opened, points)) if points in opened.namelist() else {}
    plugin, value = _one(named, wheel.name)
    manifest = _packed_manifest(opened, value, staging)
    return Offer(
        plugin,
        found[1] if found else "0",
        "python",
        _asked(manifest, plugin),
        wheel,
        value,
        (str(wheel.absolute()),),
    )


def _packed_manifest(opened: zipfile.ZipFile, value: str, staging: Path) -> Manifest | None:
    """Return the manifest that lies in the plugin's package, None where there is none."""
    name = next((name for name in manifest_names(value) if name in opened.namelist()), None)
    if name is None:
        return None
    file = staging / FILE_NAME
    file.write_text(_text(opened, name), encoding="utf-8")
    return read_manifest(file)


def _text(opened: zipfile.ZipFile, name: str) -> str:
    with opened.open(name) as source:
        data = source.read(TEXT_BYTES_MAX + 1)
    if len(data) > TEXT_BYTES_MAX:
        raise broken(f"{name[:200]} has more than {TEXT_BYTES_MAX >> 20} MiB")
    return data.decode("utf-8")


def _entry_points(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise broken(f"entry_points.txt cannot be read: {str(error).splitlines()[0]}") from None
    return dict(parser[GROUP]) if parser.has_section(GROUP) else {}


def _one(named: dict[str, str], where: str) -> tuple[str, str]:
    if len(named) != 1:
        what = f"{len(named)} plugins ({', '.join(sorted(named)[:5])})" if named else "no plugin"
        raise broken(f"{where} declares {what} in the entry-point group {GROUP}; one is installed at a time")
    [(plugin, value)] = named.items()
    if not re.fullmatch(PLUGIN_ID, plugin):
        raise broken(f"{plugin[:80]!r}, the name of the entry point, is no plugin id; write lower case")
    return plugin, value.strip()


def _asked(manifest: Manifest | None, plugin: str) -> frozenset[str]:
    """Return the permissions of a package: without a manifest it may ask for everything."""
    if manifest is None:
        return PERMISSIONS
    if manifest.id != plugin or manifest.runtime != "python":
        said = f"{FILE_NAME} says id: {manifest.id}, runtime: {manifest.runtime}"
        raise broken(f"the entry point is called {plugin}, but {said}; they have to be the same, in python")
    return manifest.granted


# -- folders


def offer_of_folder(folder: Path) -> Offer:
    """Return what plugin a folder is: a package with an entry point, or what `plugins.dir` takes. Blocks.

    Raises:
        HostdError: PACKAGE_INVALID, MANIFEST_INVALID, PLUGIN_FAILED.
    """
    project = _project(folder / "pyproject.toml")
    named = project.get("entry-points", {}).get(GROUP, {}) if project else {}
    if named:
        return _offer_of_project(folder, project, named)
    plugin = read_folder(folder)
    runtime = plugin.manifest.runtime if plugin.manifest is not None else "python"
    needed = _needed(folder, project) if runtime == "python" else ()
    permissions = plugin.manifest.granted if plugin.manifest is not None else PERMISSIONS
    return Offer(plugin.id, plugin.version, runtime, permissions, folder, requirements=needed)


def _offer_of_project(folder: Path, project: dict[str, Any], named: dict[str, str]) -> Offer:
    plugin, value = _one(named, "pyproject.toml")
    manifest = _project_manifest(folder, value)
    version = str(project.get("version", "")) or (manifest.version if manifest is not None else "")
    own = (str(folder.absolute()),)
    return Offer(plugin, version, "python", _asked(manifest, plugin), folder, value, own)


def _project_manifest(folder: Path, value: str) -> Manifest | None:
    module = value.partition(":")[0].strip().partition(".")[0]
    for place in (folder, folder / module, folder / "src" / module):
        if (place / FILE_NAME).exists():
            return read_manifest(place / FILE_NAME)
    return None


def _project(file: Path) -> dict[str, Any]:
    """Return the table `project` of a pyproject.toml; empty where there is none."""
    if not file.is_file():
        return {}
    try:
        if file.stat().st_size > TEXT_BYTES_MAX:
            raise broken(f"{file.name} has more than {TEXT_BYTES_MAX >> 20} MiB")
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise broken(f"{file.name} cannot be read: {error}") from None
    named = project.get("entry-points", {}) if isinstance(project, dict) else None
    groups = named.get(GROUP, {}) if isinstance(named, dict) else None
    if not isinstance(groups, dict) or not all(isinstance(value, str) for value in groups.values()):
        raise broken(f"{file.name}: `project` or its entry points are not as they should be")
    return dict(project)


def _needed(folder: Path, project: dict[str, Any]) -> tuple[str, ...]:
    """Return what a folder without an entry point needs, as pip is given it."""
    listed = project.get("dependencies", [])
    if not isinstance(listed, list) or len(listed) > DEPENDENCIES_MAX:
        raise broken(f"pyproject.toml: `dependencies` is a list of at most {DEPENDENCIES_MAX} texts")
    from packaging.requirements import InvalidRequirement, Requirement

    needed: list[str] = []
    for one in listed:
        try:
            needed.append(str(Requirement(str(one))))
        except InvalidRequirement as error:
            raise broken(f"pyproject.toml: {str(one)[:200]!r} names no package: {error}") from None
    if (folder / REQUIREMENTS_FILE).is_file():
        needed += ["--requirement", str((folder / REQUIREMENTS_FILE).absolute())]
    return tuple(needed)


def permission_fault(offer: Offer, accepted: frozenset[str], *, everything: bool) -> HostdError | None:
    """Return why an offer is not accepted, None where it is."""
    more = sorted(offer.permissions - accepted)
    if everything or not more:
        return None
    message = f"plugin {offer.id} asks for {', '.join(more)}, which was not accepted"
    return HostdError(Kind.STATE, "PERMISSIONS_NOT_ACCEPTED", message, details={"permissions": " ".join(more)})
