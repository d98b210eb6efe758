"""docs/how-to/python-client.md to the letter, and the examples of the Python client, against a real daemon."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import DaemonProcess

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/python-client.md"
EXAMPLES = ROOT / "clients/python/examples"
BLOCK = re.compile(r"<!-- (?P<mark>[^\n]*?) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon for all of them."""
    daemon = DaemonProcess(tmp_path_factory.mktemp("client"))
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()


def said(daemon: DaemonProcess, folder: Path, *command: str) -> str:
    """Run a command as a person would; return what it prints."""
    env = {**daemon.env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(300)
def test_the_page_works_as_written(daemon: DaemonProcess, tmp_path: Path) -> None:
    """Its files are written, its commands run, and say what the page lets one expect."""
    texts = {}
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if match["mark"].startswith("file: "):
            name = match["mark"].removeprefix("file: ")
            (tmp_path / name).write_text(match["text"])
        else:
            texts[name] = said(daemon, tmp_path, "bash", "-euo", "pipefail", "-c", match["text"])
    assert list(texts) == [f"{number}.py" for number in ("first", "second", "third", "fourth", "fifth", "sixth")]
    assert "hello bo" in texts["first.py"]
    assert "RUN_ENDED" in texts["first.py"]
    assert texts["second.py"].count("SUCCEEDED {'team': 'a'}") == 3
    assert "RUN_MISSING" in texts["third.py"]
    assert "FAILED STEP_FAILED on purpose" in texts["third.py"]
    assert "hello eve" in texts["fourth.py"]
    assert texts["fifth.py"].count("SUCCEEDED") >= 2
    assert "orders.new order.paid {'order': 'o-1'}" in texts["sixth.py"]


PRINTED = {
    "start_and_wait.py": ["add is new", "the sum is 3", "say log.write SUCCEEDED", "1 and 2"],
    "many_runs.py": ["{'n': 19} 361", "{'n': 0} 0"],
    "one_run_a_key.py": ["the same run: True True", "{'item': 2}", "RUN_OPEN", "used: True", "CANCELED"],
    "errors_by_class.py": ["ACTION_UNKNOWN", "WorkflowMissing WORKFLOW_MISSING", "InvalidFilter", "FAILED Failure("],
    "keep_up.py": ["True readings.kitchen {'celsius': 22}"],
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", sorted(file.name for file in EXAMPLES.glob("*.py")))
def test_an_example_runs(daemon: DaemonProcess, tmp_path: Path, name: str) -> None:
    """Each program ends well and prints what it is there to show."""
    printed = said(daemon, tmp_path, sys.executable, str(EXAMPLES / name))
    for text in PRINTED[name]:
        assert text in printed
    assert f"({name})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.timeout(400)
def test_the_next_process_goes_on(daemon: DaemonProcess, tmp_path: Path) -> None:
    """keep_up.py, run twice, sees no event twice."""
    places = []
    for _ in range(2):
        assert "False" not in said(daemon, tmp_path, sys.executable, str(EXAMPLES / "keep_up.py"), "place")
        places.append(int((tmp_path / "place").read_text()))
    assert places[0] < places[1]
