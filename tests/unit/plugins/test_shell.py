"""`shell.run`: what may run, what a program gets, how it ends, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostd.plugin import ActionError
from hostd.plugin.testing import run_action
from hostd_builtin.shell.options import RunOptions
from hostd_builtin.shell.run import Run

ANY = {"allow": True}
STAYS = (
    "echo $$ > {0}/leader; setsid sh -c 'echo $$ > {0}/stray; exec sleep 600' & trap '' TERM; sleep 600 & wait; wait"
)


async def run(*command: str, settings: Any = None, **options: Any) -> Any:
    """Run a program."""
    return await run_action(Run, {"command": list(command), **options}, settings=ANY if settings is None else settings)


async def failing(*command: str, **options: Any) -> ActionError:
    """Return how a program fails."""
    with pytest.raises(ActionError) as caught:
        await run(*command, **options)
    return caught.value


def is_alive(pid: int) -> bool:
    """Say whether a process is there, zombies not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def written(file: Path) -> int:
    """Wait for a pid in a file."""
    while True:
        text = await asyncio.to_thread(lambda: file.read_text() if file.exists() else "")
        if text.endswith("\n"):
            return int(text)
        await asyncio.sleep(0.01)


async def gone(*pids: int) -> None:
    """Wait until processes are gone."""
    while any(is_alive(pid) for pid in pids):
        await asyncio.sleep(0.01)


async def test_nothing_runs_unless_the_operator_says_so() -> None:
    """Off by default; a list permits by name as it is found, or by absolute path, nothing else."""
    assert (await failing("true", settings={})).code == "NOT_ALLOWED"
    assert (await failing("true", settings={"allow": []})).code == "NOT_ALLOWED"
    assert (await failing("true", settings={"allow": ["echo"]})).code == "NOT_ALLOWED"
    assert (await failing("/tmp/echo", settings={"allow": ["echo"]})).code == "NOT_ALLOWED"
    assert (await run("echo", settings={"allow": ["echo"]}))["exit_code"] == 0
    assert (await failing("no-such-program")).code == "NOT_FOUND"


def test_a_command_is_literal_and_no_path_from_here() -> None:
    """A relative path, an empty program, zero bytes and what loads code into a program are refused."""
    for wrong in (["./x"], [""], ["a\0"], []):
        with pytest.raises(ValidationError):
            RunOptions.model_validate({"command": wrong})
    for name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "A=B", ""):
        with pytest.raises(ValidationError):
            RunOptions.model_validate({"command": ["true"], "env": {name: "/tmp/x.so"}})


async def test_arguments_are_handed_over_as_they_are() -> None:
    """Nothing is split, expanded or run; what looks like an option is refused unless it is said to be fine."""
    odd = ["$(id)", "a b", "*", "; echo x", "'\"", 5, 1.5, True, ""]
    out = await run("python3", "-c", "import sys,json; print(json.dumps(sys.argv[1:]))", arguments=odd, parse="json")
    assert out["stdout"] == ["$(id)", "a b", "*", "; echo x", "'\"", "5", "1.5", "true", ""]
    assert (await failing("echo", arguments=["-n"])).code == "ARGUMENT_REFUSED"
    assert (await run("echo", arguments=["-n"], allow_options=True))["stdout"] == ""
    assert (await run("printf", "--", arguments=["-n"]))["stdout"] == "-n"


async def test_the_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the operator and the step name gets through, and no file of the daemon's stays open."""
    monkeypatch.setenv("HOSTD_TEST_SECRET", "hunter2")
    monkeypatch.setenv("HOSTD_TEST_PASSED", "yes")
    out = await run("env", env={"MINE": "a\nb"}, settings={"allow": True, "pass_env": ["HOSTD_TEST_PASSED"]})
    text = out["stdout"]
    assert "hunter2" not in text and "HOSTD_TEST_PASSED=yes" in text and "MINE=a\nb" in text
    assert "HOSTD_IDEMPOTENCY_KEY=testkey" in text
    opened = await run("ls", "/proc/self/fd", parse="lines")
    assert set(opened["stdout"]) <= {"0", "1", "2", "3"}  # 3: the folder that ls itself reads


async def test_input_goes_in_and_output_is_parsed() -> None:
    """stdin takes text and values, also more than the program reads; stdout is text, lines or JSON."""
    assert (await run("cat", stdin={"a": [1]}, parse="json"))["stdout"] == {"a": [1]}
    assert (await run("cat", stdin="a\nb\n", parse="lines"))["stdout"] == ["a", "b"]
    assert (await run("true", stdin="x" * 1_000_000))["exit_code"] == 0
    assert (await failing("echo", "x", parse="json")).code == "OUTPUT_INVALID"


async def test_output_is_bounded() -> None:
    """What lies past the bound is dropped and said to be; the program is not held up by it."""
    out = await run("sh", "-c", "yes | head -c 20000000; yes >&2 & sleep 0.1", max_output=100)
    assert len(out["stdout"]) == 100 and len(out["stderr"]) == 100
    assert out["truncated"] == {"stdout": True, "stderr": True}
    assert (await failing("echo", '{"a": 1}', parse="json", max_output=3)).code == "OUTPUT_INVALID"


async def test_exit_codes_mean_what_the_step_says() -> None:
    """Other codes than success fail with their number and what the program said last."""
    error = await failing("sh", "-c", "echo why >&2; exit 3", retryable_codes=[3])
    assert (error.code, error.retryable, error.details["exit_code"]) == ("EXIT_3", True, 3)
    assert "why" in error.message
    assert not (await failing("false")).retryable
    assert (await run("sh", "-c", "exit 3", success_codes=[0, 3]))["exit_code"] == 3
    assert (await failing("sh", "-c", "kill -9 $$")).code == "SIGNAL_SIGKILL"


async def test_programs_run_within_the_roots(tmp_path: Path) -> None:
    """cwd lies in a root, on no link; without one the first root is it."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    rooted = {"allow": True, "roots": [str(inside)]}
    assert (await run("pwd", settings=rooted))["stdout"] == f"{inside}\n"
    assert (await run("pwd", cwd="deep", settings=rooted))["stdout"] == f"{inside}/deep\n"
    assert (await run("pwd"))["stdout"] == "/\n"
    for wrong in ("link", str(outside), "../out"):
        assert (await failing("pwd", cwd=wrong, settings=rooted)).code == "PATH_DENIED"
    assert (await failing("pwd", cwd="none", settings=rooted)).code == "NOT_FOUND"


async def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    """A file that is no program fails with the system's words."""
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    assert (await failing(str(broken))).code == "NOT_STARTED"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt what left the group")
@pytest.mark.parametrize("way", ["timeout", "cancel", "end"])
async def test_nothing_stays_behind(tmp_path: Path, way: str) -> None:
    """However it ends, the program, what it started, and what left its group are gone, zombies too."""
    script = STAYS.format(tmp_path)
    if way == "end":
        script = script.partition("trap")[0] + f"while [ ! -s {tmp_path}/stray ]; do sleep 0.01; done"
    timeout = "2s" if way == "timeout" else "1m"
    running = asyncio.create_task(run("sh", "-c", script, timeout=timeout, kill_after="100ms"))
    if way == "timeout":
        with pytest.raises(ActionError, match="took longer"):
            await running
    leader, stray = await written(tmp_path / "leader"), await written(tmp_path / "stray")
    if way == "cancel":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    elif way == "end":
        await running
    assert not is_alive(leader) and not is_alive(stray)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt what left the group")
async def test_programs_die_with_the_daemon(tmp_path: Path) -> None:
    """A daemon that is killed outright leaves neither the program nor its children nor the guard."""
    child = tmp_path / "daemon.py"
    child.write_text(
        "import asyncio, sys\n"
        "from hostd.plugin.testing import run_action\n"
        "from hostd_builtin.shell.run import Run\n"
        "asyncio.run(run_action(Run, {'command': ['sh', '-c', sys.argv[1]]}, settings={'allow': True}))\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    daemon = subprocess.Popen([sys.executable, str(child), STAYS.format(tmp_path)], env=env)
    leader, stray = await written(tmp_path / "leader"), await written(tmp_path / "stray")
    guard = int(Path(f"/proc/{leader}/stat").read_text().rpartition(")")[2].split()[1])
    daemon.send_signal(signal.SIGKILL)
    await asyncio.to_thread(daemon.wait)
    await gone(leader, stray, guard)
