"""`hostd init` and `hostd dev` as a newcomer meets them: on a terminal, in a pipe, and with what goes wrong."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from processes import HOSTD, wait_until
from terminals import Terminal

from hostd.client import connect_blocking

OUTER = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
RUNS, PIPE_BYTES = 120, 4096
ANY_PORT = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
BAR = "q quit"
ONCE = "workflow: once\nsteps:\n  a: {uses: flow.pass, with: {output: 41}}\noutput: ${{ steps.a.output }}\n"
FAILING = "workflow: bad\nsteps:\n  a: {uses: flow.fail, with: {message: no luck}}\n"


def hostd(*arguments: str) -> str:
    """Run a command that must succeed; return what it prints."""
    done = subprocess.run([*HOSTD, *arguments], env=OUTER, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def at_a_terminal(folder: Path, *flags: str) -> Terminal:
    """Begin to write in a folder."""
    return Terminal([*HOSTD, "dev", str(folder), *ANY_PORT, *flags], OUTER)


class Piped:
    """`hostd dev` whose output somebody reads line by line."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._said = folder.parent / f"{folder.name}.said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*HOSTD, "dev", str(folder), *ANY_PORT, *flags], env=OUTER, stdin=subprocess.DEVNULL, stdout=said,
                stderr=said,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """All that was written so far."""
        return self._said.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until something is written, or dev ends."""
        wait_until(lambda: text in self.text or self.process.poll() is not None, f"{text!r}", seconds=120)
        assert text in self.text, self.text

    def stop(self) -> int:
        """Ask it to end; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=120)

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder as `hostd init` writes it."""
    hostd("init", str(tmp_path / "first"))
    return tmp_path / "first"


def test_a_newcomer_writes_a_workflow(tmp_path: Path) -> None:
    """From nothing to a run, a mistake with its caret, its mending, a run again, its history, and out."""
    begun = time.monotonic()
    place = tmp_path / "mine"
    assert "hostd dev" in hostd("init", str(place))
    with closing(at_a_terminal(place)) as seen:
        seen.wait_for("✓ hello.yaml  hello 0.0.1")
        seen.wait_for(BAR)
        seen.type("t")
        seen.wait_for("input, JSON (Esc: not): {}")
        seen.type('\x15{"name": "ada"}\n')
        tree = seen.wait_for('output  {"letters":3,"text":"hello ada"}')
        assert "✓ greet    SUCCEEDED" in tree and "–   pause  SKIPPED" in tree
        seen.wait_for(BAR)
        print(f"the first run of one's own ended after {time.monotonic() - begun:.1f} s")

        good = (place / "hello.yaml").read_text()
        (place / "hello.yaml").write_text(good.replace("needs: greet\n", "needs: gret\n"))
        told = seen.wait_for("did you mean greet?")
        assert "hello 0.0.1 stays active" in told
        assert "17 │     needs: gret\n     │            ^\n  there is no step gret" in told

        (place / "hello.yaml").write_text(good.replace('"hello "', '"good day, "'))
        seen.wait_for("✓ hello.yaml  hello 0.0.1 → 0.0.2")
        seen.type("r")
        seen.wait_for('output  {"letters":3,"text":"good day, ada"}')
        seen.type("h")
        seen.wait_for("ATTEMPT_SUCCEEDED  greet")
        seen.wait_for(BAR)
        seen.type("l")
        seen.wait_for("greeting ada")
        seen.type("w")
        seen.wait_for("hello     0.0.2   SUCCEEDED  hello.yaml")
        seen.type("?")
        seen.wait_for("run the last run again")
        seen.wait_for(BAR)
        seen.type("q")
        seen.wait_for("stopping")
        assert seen.end() == 0
        assert seen.mode() == seen.before


def test_triggers_are_chosen_and_files_come_and_go(folder: Path) -> None:
    """A new file is served at once, a trigger of several is fired by number, a failure is told with its reason, and
    a file that is deleted takes its workflow with it.
    """
    with closing(at_a_terminal(folder)) as seen:
        seen.wait_for(BAR)
        (folder / "bad.yaml").write_text(FAILING + "triggers:\n  door: {uses: http.webhook, with: {path: bad}}\n")
        seen.wait_for("✓ bad.yaml  bad 0.0.1")
        seen.wait_for("/hooks/default/bad")
        seen.type("t")
        seen.wait_for("1  bad/door  http.webhook")
        seen.wait_for("which, 1 to 3")
        seen.type("1\n")
        seen.wait_for("data of the event")
        seen.type("{not json\n")
        seen.wait_for("PAYLOAD_INVALID")
        seen.type("t1\n\x15null\n")
        seen.wait_for("a: STEP_FAILED: no luck")
        (folder / "bad.yaml").unlink()
        seen.wait_for("bad.yaml is gone  bad deactivated")
        seen.type("t")
        seen.wait_for("hello: input")
        seen.type("\x1b")
        seen.type("q")
        assert seen.end() == 0


def test_the_terminal_is_given_back(folder: Path) -> None:
    """Stopped as by Ctrl-Z the terminal is as it was, taken again when it goes on, and given back at a SIGTERM."""
    with closing(at_a_terminal(folder, "--memory")) as seen:
        seen.wait_for(BAR)
        assert seen.mode() != seen.before
        seen.process.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(seen.process.pid, os.WUNTRACED)[1])
        assert seen.mode() == seen.before
        seen.process.send_signal(signal.SIGCONT)
        seen.wait_for(BAR)
        assert seen.mode() != seen.before
        seen.process.send_signal(signal.SIGTERM)
        assert seen.end() == 0
        assert seen.mode() == seen.before
    assert not (folder / ".hostd").exists()


CRASHING = """
import asyncio
from hostd.cli.dev.keyboard import Keyboard
async def main():
    Keyboard(leave=print, enter=print).begin()
    print("begun", flush=True)
    raise RuntimeError("a mistake of ours")
asyncio.run(main())
"""


def test_a_crash_gives_the_terminal_back() -> None:
    """Whatever ends the program, short of a kill, the terminal is as it was."""
    with closing(Terminal([sys.executable, "-c", CRASHING], OUTER)) as seen:
        assert seen.end() == 1
        wait_until(lambda: "a mistake of ours" in seen.text, "the traceback")
        assert seen.mode() == seen.before


def test_lines_in_a_pipe(folder: Path) -> None:
    """Without a terminal there are plain lines; what was deleted meanwhile is deactivated at the next start."""
    (folder / "once.yaml").write_text(ONCE)
    with closing(Piped(folder)) as piped:
        piped.wait_for("once.yaml  once 0.0.1")
        hostd("runs", "start", "once", "--data", str(folder / ".hostd"), "--wait")
        piped.wait_for("output  41")
        assert "  a  SUCCEEDED  " in piped.text
        assert piped.stop() == 0
        assert "\x1b" not in piped.text
    (folder / "once.yaml").unlink()
    with closing(Piped(folder)) as piped:
        piped.wait_for("once deactivated")
        piped.wait_for("hello 0.0.1")
        assert piped.stop() == 0


def test_it_ends_when_nobody_reads(folder: Path) -> None:
    """A pipe whose reader went away ends it, as it does other programs; what it served is closed in order."""
    (folder / "tick.yaml").write_text(ONCE + "triggers:\n  clock: {uses: cron.every, with: {period: 1s}}\n")
    reading = subprocess.Popen(
        [*HOSTD, "dev", str(folder), *ANY_PORT], env=OUTER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert reading.stdout is not None
    try:
        assert reading.stdout.readline() == b"hostd dev\n"
        reading.stdout.close()
        assert reading.wait(timeout=120) == 0
    finally:
        reading.kill()
        reading.wait()
    assert "daemon_stopped" in (folder / ".hostd/dev.log").read_text()


def test_a_reader_that_stands_still_keeps_no_run(folder: Path) -> None:
    """The daemon goes on while nobody takes what is printed, more than a pipe holds; it comes once somebody does."""
    (folder / "once.yaml").write_text(ONCE)
    dev = subprocess.Popen(
        [*HOSTD, "dev", str(folder), *ANY_PORT], env=OUTER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert dev.stdout is not None
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(dev.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        there = [*HOSTD, "workflow", "show", "once", "--data", str(folder / ".hostd")]
        wait_until(lambda: subprocess.run(there, env=OUTER, capture_output=True).returncode == 0, "once", seconds=120)
        with connect_blocking(data=folder / ".hostd") as client:
            assert [client.start("once").result(timeout_s=120) for _ in range(RUNS)] == [41] * RUNS
        dev.send_signal(signal.SIGINT)
        said = dev.communicate(timeout=120)[0].decode()
    finally:
        if dev.poll() is None:
            dev.kill()
            dev.wait()
    assert dev.returncode == 0
    assert len(said) > PIPE_BYTES
    counted = sum(map(int, re.findall(r"and (\d+) more runs: \d+ SUCCEEDED", said)))  # where many run at once
    assert said.count("output  41") + counted > RUNS // 2


@pytest.mark.parametrize("template", ["lua", "plugin"])
def test_plugins_are_served_and_mended(tmp_path: Path, template: str) -> None:
    """The plugin of a starter serves its workflow; one that is broken says where, and the version before stays."""
    place = tmp_path / template
    hostd("init", str(place), "--template", template)
    with closing(Piped(place)) as piped:
        piped.wait_for("✓ plugin greeter 0.1.0")
        piped.wait_for("✓ greet.yaml  greet 0.0.1")
        hostd("runs", "start", "greet", "--data", str(place / ".hostd"), "--wait")
        piped.wait_for('output  "hello Ada"')
        if template == "plugin":
            module = place / "plugins/greeter/hostd_greeter/__init__.py"
            module.write_text(module.read_text() + "\n1 / 0\n")
            piped.wait_for("the version before stays")
            piped.wait_for("ZeroDivisionError")
        manifest = place / "plugins/greeter/hostd-plugin.yaml"
        manifest.write_text("manifest: 1\nid: greeter\nversion: [\n")
        piped.wait_for("MANIFEST_INVALID")
        assert piped.stop() == 0


def test_what_stands_in_the_way_is_said(tmp_path: Path, folder: Path) -> None:
    """A folder that is not there, a port that somebody has and a folder that is served already: each with its fix."""
    missing = subprocess.run([*HOSTD, "dev", str(tmp_path / "no")], env=OUTER, capture_output=True, text=True)
    assert missing.returncode == 2
    assert "does not exist; `hostd init" in missing.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for flag in ("--listen", "--http"):
            done = subprocess.run(
                [*HOSTD, "dev", str(folder), *ANY_PORT, flag, address], env=OUTER, capture_output=True, text=True
            )
            assert done.returncode != 0
            assert f"ADDRESS_IN_USE: another program listens on {address}" in done.stderr
            assert "or choose another with --listen or --http." in done.stderr
    with closing(Piped(folder)) as piped:
        piped.wait_for("hello 0.0.1")
        second = subprocess.run([*HOSTD, "dev", str(folder), *ANY_PORT], env=OUTER, capture_output=True, text=True)
        assert "JOURNAL_LOCKED" in second.stderr
        assert piped.stop() == 0
