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
CLIENT = """
from hostd.client import RunHandle, Start, connect, connect_blocking, errors

def blocking() -> list[str]:
    with connect_blocking("127.0.0.1:7420", namespace="team") as client:
        try:
            run = client.start("greet", {"name": "bo"}, key="bo", on_open="USE_EXISTING")
            text: str = run.result(timeout_s=5)
        except errors.RunMissing as error:
            return [fault.path for fault in error.fields] + [error.help]
        with client.watch_runs('state == "FAILED"') as watch:
            return [text, *(f"{change.kind} {change.run.state}" for change in watch if change.run.state == "FAILED")]

async def with_asyncio() -> int:
    async with connect() as client:
        started = [run for run in await client.start_many([Start("greet")]) if isinstance(run, RunHandle)]
        return len([run.run_id async for run in client.list_runs(limit=5)]) + len((await started[0].wait()).steps)
"""
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
    """A fresh environment with only the small wheel imports plugin and client; programs of both type-check strictly."""
    built(ROOT / "clients/python", tmp_path / "sdk")
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin/python")
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    (wheel,) = (tmp_path / "sdk").glob("*.whl")
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, timeout=600, env=quiet, cwd=tmp_path)
    (tmp_path / "greet.py").write_text(PROGRAM)
    (tmp_path / "talk.py").write_text(CLIENT)
    (tmp_path / "wrong.py").write_text(CLIENT.replace('state == "FAILED")', 'state == "DONE")'))
    program = (
        "import greet, talk, hostd.plugin; talk.connect_blocking('127.0.0.1:1').close(); print(hostd.plugin.__file__)"
    )

    shown = subprocess.run(
        [python, "-c", program],
        check=True, timeout=60, env=quiet, cwd=tmp_path, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert shown.startswith(str(environment))

    checker = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", python]
    for files, faults in ((["greet.py", "talk.py"], 0), (["wrong.py"], 1)):
        checked = subprocess.run(
            [*checker, *files], timeout=300, env=quiet, cwd=tmp_path, capture_output=True, text=True
        )
        assert checked.returncode == faults, checked.stdout
    assert "comparison-overlap" in checked.stdout  # a state that no run has
