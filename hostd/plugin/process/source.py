"""Importing the one plugin of a process: an installed package's entry point, or a folder."""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hostd.plugin.loading import Refused
from hostd.plugin.process.birth import Birth

NOT_PLUGINS = frozenset({"test", "tests", "docs", "examples"})


def import_plugin(birth: Birth) -> Any:
    """Import the plugin and return what holds its hook. Raises Refused, and whatever the plugin raises."""
    if birth.folder:
        return import_folder(Path(birth.folder), birth.plugin)
    return import_entry_point(birth.entry_point)


def import_entry_point(value: str) -> Any:
    """Return what an entry point `module[:attr]` names. Raises Refused, and whatever the module raises."""
    module_name, _, attributes = value.partition(":")
    found: Any = importlib.import_module(module_name.strip())
    for name in attributes.split("[")[0].strip().split(".") if attributes.strip() else ():
        if not hasattr(found, name):
            raise Refused("PLUGIN_FAILED", f"the entry point {value[:200]!r} leads nowhere: there is no {name}")
        found = getattr(found, name)
    return found


def import_folder(folder: Path, plugin: str) -> ModuleType:
    """Import a folder that is a Python package, or holds one.

    The package's parent goes to the end of `sys.path`, so that nothing beside it hides what is installed. A name that
    is taken already, or that Python cannot write, is left alone: the package then goes by a name of its own.

    Raises:
        Refused: there is no package, or more than one. Else whatever the package raises.
    """
    package = _package_in(folder.absolute(), plugin)
    parent = str(package.parent)
    if parent not in sys.path:
        sys.path.append(parent)
    name = _module_name(package.name)
    spec = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise Refused("PLUGIN_FAILED", f"{package} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _package_in(folder: Path, plugin: str) -> Path:
    if not folder.is_dir():
        raise Refused("PLUGIN_FAILED", f"there is no folder {folder}")
    if (folder / "__init__.py").is_file():
        return folder
    inside = [path.parent for path in sorted(folder.glob("*/__init__.py")) if path.parent.name not in NOT_PLUGINS]
    named = [path for path in inside if path.name == plugin.replace("-", "_")]
    if named:
        return named[0]
    if len(inside) != 1:
        found = f"holds {len(inside)}: {', '.join(path.name for path in inside[:5])}" if inside else "holds none"
        raise Refused("PLUGIN_FAILED", f"{folder} is no Python package and {found}; it should hold one")
    return inside[0]


def _module_name(folder: str) -> str:
    usable = folder.isidentifier() and not keyword.iskeyword(folder)
    if usable and folder not in sys.modules and importlib.util.find_spec(folder) is None:
        return folder
    if usable and folder not in sys.modules and _is_last_on_path(folder):
        return folder
    return "hostd_folder_" + "".join(letter if letter.isalnum() else "_" for letter in folder)


def _is_last_on_path(folder: str) -> bool:
    """Say whether the name leads to the folder that was just added, and nowhere else."""
    spec = importlib.util.find_spec(folder)
    return spec is not None and spec.origin is not None and Path(spec.origin).parent.parent == Path(sys.path[-1])
