"""The command as a whole: what it imports, how it fails, how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from scripted_server import Scripted, ScriptedServer

from hostd.cli.main import root, run
from hostd.values.version import VERSION


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its path."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_help_version_and_completion_import_nothing_heavy() -> None:
    """Neither grpc nor protobuf nor pydantic is loaded to print help of any command, the version or completions."""
    paths = [list(path) for path, _ in commands(root)]
    program = f"""
import contextlib, io, os, sys
from hostd.cli.main import run
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
    for path in {paths!r}:
        assert run([*path, "--help"]) == 0
    assert run(["--version"]) == 0
    os.environ.update(_HOSTD_COMPLETE="bash_complete", COMP_WORDS="hostd runs st", COMP_CWORD="2")
    try:
        run([])
    except SystemExit:
        pass
print([name for name in ("grpc", "google.protobuf", "pydantic", "asyncio", "yaml", "msgspec") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)

    assert done.stderr == ""
    assert done.stdout == "[]\n"


def test_everything_says_what_it_is_for() -> None:
    """Every command and every option has a line of help."""
    silent = [" ".join(path) for path, command in commands(root) if not command.help]
    for path, command in commands(root):
        silent += [
            f"{' '.join(path)} {param.name}"
            for param in command.params
            if isinstance(param, click.Option) and not param.help
        ]
    assert silent == []


def test_the_version(hostd: Any) -> None:
    """One line."""
    assert hostd("--version") == (0, f"hostd {VERSION}\n", "")


@pytest.mark.parametrize(
    "arguments,says",
    [
        (["rnus"], "No such command 'rnus'. Did you mean `hostd runs`?"),
        (["start", "greet"], "No such command 'start'. Did you mean `hostd runs start greet`?"),
        (["logs"], "Did you mean `hostd runs logs`?"),
        (["runs", "lst"], "`hostd runs list`"),
        (["runs", "list", "--filtr", "x"], "--filter"),
        (["runs", "show"], "Missing argument"),
        (["runs", "list", "--limit", "0"], "--limit"),
        (["runs", "list", "-o", "xml"], "json"),
        (["runs", "list", "--address", "nowhere"], "127.0.0.1:7420"),
        (["runs", "list", "--tls-cert", "x"], "--tls-ca"),
    ],
)
def test_wrong_use_is_one_error_with_exit_code_2(hostd: Any, arguments: list[str], says: str) -> None:
    """The sentence names what is wrong and what would be right."""
    code, out, err = hostd(*arguments)

    assert code == 2
    assert out == ""
    assert err.startswith("error: ARGUMENT_INVALID: ")
    assert says in err


def test_no_daemon_is_unreachable(hostd: Any) -> None:
    """Exit code 9, the address, and what to do; by flag before or behind the command, or by the data folder."""
    for arguments in (
        ["--address", "127.0.0.1:1", "runs", "list"],
        ["runs", "list", "--address", "127.0.0.1:1"],
        ["health", "--address", "127.0.0.1:1"],
    ):
        code, out, err = hostd(*arguments)
        assert (code, out) == (9, "")
        assert err.startswith("error: UNREACHABLE: no daemon answers at 127.0.0.1:1: ")
        assert "fix: Start one with `hostd serve`" in err
    code, _, err = hostd("info")
    assert code == 9
    assert "/data/run/hostd.sock" in err


def test_a_mistake_of_ours_is_no_traceback(hostd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """BUG with an id and exit code 70; the traceback only with HOSTD_DEBUG=1."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hostd.cli.local_run.evaluate", broken)
    code, out, err = hostd("expr", "1")
    assert (code, out) == (70, "")
    assert err.startswith("error: BUG: ")
    assert "Traceback" not in err

    monkeypatch.setenv("HOSTD_DEBUG", "1")
    assert "Traceback" in hostd("expr", "1").err


def test_a_reader_that_went_away_is_quiet() -> None:
    """`hostd explain | head -0` says nothing on standard error."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hostd", "explain", "-o", "json"], stdout=write, stderr=subprocess.PIPE, timeout=120
    )
    os.close(write)

    assert done.stderr == b""
    assert done.returncode == 141


@pytest.fixture
def heeding_ctrl_c() -> Iterator[None]:
    """Let programs that are started here heed SIGINT: in the background of a shell they inherit that nobody does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_ends_a_watch_with_130() -> None:
    """At once, without a traceback."""
    asked, over = threading.Event(), threading.Event()

    def hangs(_request: Any, _context: Any) -> Iterator[Any]:
        asked.set()
        over.wait(200)
        yield from ()

    with ScriptedServer(Scripted(hangs)) as server:
        command = [sys.executable, "-m", "hostd", "runs", "watch", "r", "--address", server.address]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert asked.wait(120)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        over.set()

    assert process.returncode == 130
    assert (out, err.strip()) == ("", "")


def test_the_namespace_comes_from_flag_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """--namespace, else HOSTD_NAMESPACE, else nothing, which the daemon takes for `default`."""
    servicer = Scripted()
    with ScriptedServer(servicer) as server:
        monkeypatch.setenv("HOSTD_ADDRESS", server.address)
        monkeypatch.delenv("HOSTD_NAMESPACE", raising=False)
        assert run(["runs", "show", "r", "-o", "json"]) == 0
        monkeypatch.setenv("HOSTD_NAMESPACE", "b")
        assert run(["runs", "show", "r", "-o", "json"]) == 0
        assert run(["runs", "show", "r", "-o", "json", "--namespace", "c"]) == 0

    assert [request.namespace for request in servicer.requests] == ["", "b", "c"]


def test_completion_scripts(hostd: Any) -> None:
    """Each shell gets a script that calls us back."""
    for shell in ("bash", "zsh", "fish"):
        assert "_HOSTD_COMPLETE" in hostd("completion", shell).out


def test_explain(hostd: Any) -> None:
    """A reason in any case; the nearest one for a slip; all without one."""
    assert hostd("explain", "run_missing").out.startswith("reason  RUN_MISSING\n")
    assert json.loads(hostd("explain", "RUN_MISSING", "-o", "json").out)["exit"] == 4
    code, out, err = hostd("explain", "RUN_MISING")
    assert (code, out) == (4, "")
    assert "did you mean RUN_MISSING?" in err
    assert len(hostd("explain", "-o", "json").out.splitlines()) > 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_no_bug() -> None:
    """A full disk is told with what to do; where standard output was closed, nothing is said and nothing fails."""
    words = [sys.executable, "-m", "hostd", "explain", "RUN_MISSING"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 9
    told = "error: OUTPUT_UNWRITABLE: standard output cannot be written: No space left on device\nfix: Make room, "
    assert done.stderr.startswith(told)
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words], stderr=subprocess.PIPE, text=True, timeout=120)
    assert (closed.returncode, closed.stderr) == (0, "")


def test_streams_that_were_closed_or_are_full_are_no_bug() -> None:
    """Nothing is read where input was closed; where errors cannot be written the exit code says all."""

    def said(line: str) -> tuple[int, str]:
        words = f'hostd() {{ "{sys.executable}" -m hostd "$@"; }}; {line}'
        done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    code, told = said("hostd validate - <&-")
    assert code == 2 and "BUG" not in told
    assert said("hostd explain RUN_MISING 2>&-") == (4, "")
    if Path("/dev/full").exists():
        assert said("hostd explain RUN_MISING 2>/dev/full") == (4, "")


def test_bytes_that_are_no_text_are_refused(hostd: Any) -> None:
    """A request holds UTF-8 text; the argument is named."""
    done = hostd("runs", "show", "\udcff", "--address", "127.0.0.1:1")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: ARGUMENT_INVALID: the argument b'\\xff' is not UTF-8 text\n"
