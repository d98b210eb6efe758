"""What is written by scripts in hostd/client is what the scripts make of their sources."""

import importlib.util
from types import ModuleType

from tree import ROOT


def script(name: str) -> ModuleType:
    """Return a script of clients/python as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"clients/python/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_blocking_client_is_current() -> None:
    """hostd/client/blocking is the twin of hostd/client/aio."""
    made = script("blocking_twin").twins()
    committed = {file.name: file.read_text() for file in (ROOT / "hostd/client/blocking").glob("*.py")}
    assert made.keys() == committed.keys()
    old = {name for name in made if made[name] != committed[name]}
    assert old == set(), f"run `python clients/python/blocking_twin.py`: {old} are old"


def test_each_reason_has_a_class() -> None:
    """hostd/client/errors.py is what the table of reasons says."""
    committed = (ROOT / "hostd/client/errors.py").read_text()
    assert committed == script("error_classes").error_module(), "hostd/client/errors.py is old: run `make proto`"
