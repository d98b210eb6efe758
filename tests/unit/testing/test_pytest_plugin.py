"""What hostd brings to pytest: case files as tests, a host as a fixture, and nothing for those who want neither."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hostd.testing import pytest_plugin

ROOT = Path(__file__).parents[3]
GREET = """
workflow: greet
inputs: {type: object, properties: {name: {type: string, default: world}}}
steps: {wait: {uses: flow.wait, with: {duration: 3d}}, say: {needs: wait, uses: log.write, with: {message: hi}}}
output: hello ${{ input.name }}
"""
CASES = """
workflow: greet.yaml
cases:
  - {name: greets, input: {name: ada}, expect: {output: hello ada, took: 3d}}
  - {name: is wrong, input: {name: bo}, expect: {output: hello ada}}
"""


def run(folder: Path, *args: str, plugins: tuple[str, ...] = ("hostd.testing.pytest_plugin",)) -> tuple[int, str]:
    """Run pytest in a folder as somebody else would, with these plugins and no others."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins/builtin'}"}
    named = [word for plugin in plugins for word in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *named, *args]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a workflow and its cases."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "greet.yaml").write_text(GREET)
    (tmp_path / "greet.test.yaml").write_text(CASES)
    return tmp_path


def test_the_wheel_names_the_plugin() -> None:
    """pytest finds it where hostd is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"hostd": pytest_plugin.__name__}


def test_case_files_are_tests_with_readable_failures(project: Path) -> None:
    """Each case is a test; a failure says place, expected and got, without a traceback."""
    code, said = run(project, "-v")
    assert code == 1, said
    assert "greet.test.yaml::greets PASSED" in said and "greet.test.yaml::is wrong FAILED" in said
    assert f'{project / "greet.test.yaml"}:5 is wrong\noutput: expected "hello ada", got "hello bo"' in said
    assert "Traceback" not in said and "1 failed, 1 passed" in said


def test_mistakes_in_a_case_file_are_told_at_collection(project: Path) -> None:
    """Every one, with its line."""
    (project / "greet.test.yaml").write_text("workflow: greet.yaml\ncases:\n  - {nam: it}\n")
    code, said = run(project)
    assert code == 2, said
    assert "greet.test.yaml:3:6 cases[0].nam: KEY_UNKNOWN" in said and "did you mean name?" in said


def test_who_does_not_want_it_is_left_alone(project: Path) -> None:
    """It can be turned off; other people's *.test.yaml are not taken; hostd is imported only where it is used."""
    (project / "other.test.yaml").write_text("tests: [1, 2]\n")
    (project / "test_own.py").write_text(
        "import sys\n\n\ndef test_it():\n"
        "    assert not [name for name in sys.modules if name.startswith('hostd.') and 'testing' not in name]\n"
    )
    assert "1 passed" in run(project, "--no-hostd-cases")[1]
    (project / "pytest.ini").write_text("[pytest]\nhostd_cases = false\n")
    code, said = run(project)
    assert code == 0 and "1 passed" in said, said


def test_the_fixture_is_a_host_whose_time_skips(project: Path) -> None:
    """Under pytest-asyncio; a mark says how it is built."""
    (project / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (project / "greet.test.yaml").unlink()
    (project / "test_own.py").write_text(
        "from pathlib import Path\nimport pytest\n\n\n"
        '@pytest.mark.asyncio\n@pytest.mark.hostd(only_mocked=True, start="2027-01-01T00:00:00+00:00")\n'
        "async def test_it(hostd_host):\n"
        '    await hostd_host.register(Path("greet.yaml"))\n'
        '    assert await hostd_host.execute("greet") == "hello world"\n'
        '    assert hostd_host.now.isoformat() == "2027-01-04T00:00:00+00:00"\n'
    )
    code, said = run(project, "--strict-markers", plugins=("pytest_asyncio.plugin", "hostd.testing.pytest_plugin"))
    assert code == 0 and "1 passed" in said, said
