"""Generated code is what the committed proto files and the pinned tools make."""

import os
import subprocess
from pathlib import Path

import pytest
from requires import lacking
from tree import ROOT

TOOLS = ROOT / ".venv-proto/bin/python"


def test_generated_code_is_current(tmp_path: Path) -> None:
    """Generating again into another folder gives the committed files."""
    if not (ROOT / "proto").is_dir():
        pytest.skip("there are no proto files")
    if not TOOLS.exists():
        lacking("the proto tools are not installed: `make proto-tools` installs them")

    env = {
        **os.environ,
        "PATH": f"{TOOLS.parent}{os.pathsep}{os.environ['PATH']}",
    }  # protoc looks for its plugins there
    command = [str(TOOLS), "proto/generate.py", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)

    made = {file.relative_to(tmp_path).as_posix(): file.read_text() for file in tmp_path.rglob("*_pb2*.py*")}
    committed = {
        file.relative_to(ROOT).as_posix(): file.read_text()
        for file in (ROOT / "hostd").rglob("*_pb2*.py*")
        if "__pycache__" not in file.parts
    }
    assert made.keys() == committed.keys()
    assert {name for name in made if made[name] != committed[name]} == set()
