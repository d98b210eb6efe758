"""Two wheels come from one tree: the small one stands alone, the large one holds the rest."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from tree import ROOT

PROGRAM = '''
from hostd.plugin import Action, ActionContext, Field, Options, Registry, hookimpl

class GreetOptions(Options):
    name: str = Field(description="Whom to greet.")

class Greet(Action[GreetOptions]):
    """Says hello."""
    id, since, stability, effects = "greet.say", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: GreetOptions) -> dict[str, str]:
        return {"text": f"hello {options.name}"}

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Greet)
'''
SDK = ("client", "errors", "plugin", "v1", "values")


def built(folder: Path, target: Path) -> zipfile.ZipFile:
    """Build the wheel of a folder and open it."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(target),
        str(folder),
    ]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return zipfile.ZipFile(wheel)


def rooms(wheel: zipfile.ZipFile) -> set[str]:
    """Return the rooms of hostd that a wheel holds."""
    return {Path(name).parts[1] for name in wheel.namelist() if name.startswith("hostd/") and name.count("/") > 1}


@pytest.mark.slow
def test_the_wheels_divide_the_tree(tmp_path: Path) -> None:
    """No room is in both wheels or in neither; each wheel names what it needs, and the licence."""
    sdk, host = built(ROOT / "clients/python", tmp_path / "sdk"), built(ROOT, tmp_path / "host")

    here = {init.parent.name for init in (ROOT / "hostd").glob("*/__init__.py")} | {"v1"} & {
        p.name for p in (ROOT / "hostd").iterdir()
    }
    assert rooms(sdk) == here & set(SDK)
    assert rooms(host) == here - set(SDK)
    assert any(name.startswith("hostd_builtin/") for name in host.namelist())
    assert not any("__pycache__" in name or name.startswith("tests/") for name in sdk.namelist() + host.namelist())
    for room in rooms(sdk):
        assert f"hostd/{room}/py.typed" in sdk.namelist()
    metadata = {
        wheel: next(wheel.read(n).decode() for n in wheel.namelist() if n.endswith("/METADATA"))
        for wheel in (sdk, host)
    }
    version = next(line for line in metadata[sdk].split("\n") if line.startswith("Version: ")).removeprefix("Version: ")
    assert f"Version: {version}\n" in metadata[host]
    assert f"Requires-Dist: hostd-sdk=={version}\n" in metadata[host]
    assert "Requires-Dist: pluggy" in metadata[sdk]
    assert "Requires-Dist: grpcio" in metadata[sdk]


@pytest.mark.slow
def test_the_sdk_stands_alone(tmp_path: Path) -> None:
    """A fresh environment with only the small wheel imports plugin and client, and a plugin type-checks strictly."""
    built(ROOT / "clients/python", tmp_path / "sdk")
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin/python")
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    (wheel,) = (tmp_path / "sdk").glob("*.whl")
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, timeout=600, env=quiet, cwd=tmp_path)
    (tmp_path / "greet.py").write_text(PROGRAM)

    shown = subprocess.run(
        [python, "-c", "import greet, hostd.plugin, hostd.client; print(hostd.plugin.__file__)"],
        check=True, timeout=60, env=quiet, cwd=tmp_path, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert shown.startswith(str(environment))

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", python, "greet.py"],
        timeout=300, env=quiet, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
