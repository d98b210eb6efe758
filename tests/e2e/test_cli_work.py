"""The command line in daily work, against a real daemon: many runs, logs that are followed, drawings, care."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commands import CommandDaemon
from processes import HOSTD

GREET = """\
workflow: greet
version: 1.0.0
inputs: {type: object, properties: {name: {type: string, default: you}}}
triggers:
  asked: {uses: http.webhook, with: {path: /greet}}
steps:
  say: {uses: log.write, with: {message: "hello ${{ input.name }}"}}
  made: {needs: say, uses: flow.pass, with: {output: "${{ input.name }}"}}
"""
SLOW = "workflow: slow\nsteps: {wait: {uses: flow.wait, with: {duration: 1h}}}\n"
FLAKY = """\
workflow: flaky
steps:
  nap: {uses: flow.wait, with: {duration: 300ms}}
  fails:
    needs: nap
    uses: lua.script
    retry: {max_attempts: 2, initial_interval: 100ms}
    with: {script: "log.info('trying') error('no')"}
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandDaemon]:
    """Return a daemon that all tests of this file share."""
    with closing(CommandDaemon(tmp_path_factory.mktemp("work"))) as daemon:
        daemon.start()
        for text in (GREET, SLOW, FLAKY):
            daemon.register(text)
        yield daemon
        daemon.stop()


def piped(daemon: CommandDaemon, line: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Return what a line of a shell does, with `hostd` on its path."""
    line = f'hostd() {{ {" ".join(HOSTD)} "$@"; }}; {line}'
    return subprocess.run(["sh", "-c", line], input=given, capture_output=True, text=True, timeout=120, env=daemon.env)


def on_terminal(daemon: CommandDaemon, columns: int, *arguments: str) -> tuple[int, str]:
    """Return exit code and output of a command whose standard output is a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    env = {name: value for name, value in daemon.env.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    with subprocess.Popen(
        [*HOSTD, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env={**env, "TERM": "xterm"}, close_fds=True
    ) as process:
        os.close(theirs)
        data = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            data += part
        os.close(ours)
        code = process.wait(timeout=120)
    return code, data.decode().replace("\r\n", "\n")


def test_many_runs_from_lines_and_back_through_a_pipe(daemon: CommandDaemon) -> None:
    """1,200 lines start 1,200 runs; what is refused is named by its line; names go into the next command."""
    lines = [json.dumps({"workflow": "slow", "key": f"many/{n}", "request_id": f"m{n}"}) for n in range(1200)]
    lines[700] = '{"workflow": "slwo"}'
    lines[900] = '{"workflow": 7}'
    started = piped(daemon, "hostd runs start --from - -q", "\n".join(lines) + "\n\n")

    assert started.returncode == 4
    assert len(started.stdout.split()) == 1198
    assert "<stdin>:701: error: WORKFLOW_MISSING" in started.stderr
    assert "<stdin>:901: error: ARGUMENT_INVALID" in started.stderr
    again = piped(daemon, "hostd runs start --from - -o name", "\n".join(lines[:5]) + "\n")
    assert again.stdout.split() == started.stdout.split()[:5]  # the same request ids

    canceled = piped(
        daemon, "hostd runs list --workflow slow --limit 50 -o name | hostd runs cancel - --reason enough -q"
    )
    assert (canceled.returncode, len(canceled.stdout.split())) == (0, 50)
    ids = canceled.stdout.split()
    mixed = daemon.here("runs", "delete", ids[0], "0" * 26, ids[1], "-o", "name")
    assert (mixed.code, mixed.out.split()) == (4, ids[:2])
    assert "0" * 26 + ": error: RUN_MISSING" in mixed.err
    nothing = piped(daemon, "hostd runs terminate -", "\n")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "nothing was done" in nothing.stderr


def test_logs_are_followed_to_the_end(daemon: CommandDaemon) -> None:
    """Every line once, the last ones too; the command ends with the run."""
    run_id = daemon.json("runs", "start", "flaky")["run_id"]
    done = piped(daemon, f"hostd runs logs -f {run_id}")

    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["fails", "#1"], ["fails", "#2"]]
    assert len(daemon.lines("runs", "logs", run_id, "--follow", "--attempt", "2")) == 1


def test_a_run_is_shown_over_time(daemon: CommandDaemon) -> None:
    """Bars that fit the terminal; on a terminal in colour; in a file without; -o json has no drawing."""
    run_id = daemon.json("runs", "start", "flaky")["run_id"]
    daemon.here("runs", "watch", run_id)
    shown = daemon.here("runs", "show", run_id, "--no-unicode").out
    (nap,) = [line for line in shown.splitlines() if line.startswith("nap") and "~" in line]
    (fails,) = [line for line in shown.splitlines() if line.startswith("fails") and "x" in line.split("  ")[-2]]
    assert nap.index("~") < fails.index("x")
    for columns in (80, 200):
        code, text = on_terminal(daemon, columns, "runs", "show", run_id)
        plain = re.sub(r"\x1b\[[0-9]*m", "", text)
        assert code == 0
        assert "\x1b[31m" in text
        assert max(map(len, plain.splitlines())) <= columns
    assert daemon.json("runs", "show", run_id)["run_id"] == run_id
    assert "~" not in daemon.here("runs", "show", run_id, "--no-timeline", "--no-unicode").out


def test_a_watch_on_a_terminal_draws_the_steps(daemon: CommandDaemon) -> None:
    """Over themselves, with the last states at the end; the exit code is the run's."""
    run_id = daemon.json("runs", "start", "flaky")["run_id"]
    code, text = on_terminal(daemon, 80, "runs", "watch", run_id, "--no-color", "--no-unicode")
    last = re.split(r"\x1b\[[0-9]+A", text.rpartition("\x1b[J")[0])[-1].replace("\x1b[2K", "")

    assert code == 1
    assert re.search(r"\+ nap\s+SUCCEEDED", last)
    assert re.search(r"x {3}fails\s+FAILED .* #2 +SCRIPT_ERROR", last)
    assert f"run {run_id} FAILED in " in text
    code, text = on_terminal(daemon, 80, "runs", "watch", run_id)  # one that has ended long ago
    assert (code, "\x1b[31mFAILED" in text) == (1, True)


def test_histories_by_kind_and_step(daemon: CommandDaemon) -> None:
    """Only what was asked for."""
    run_id = daemon.here("runs", "start", "flaky", "--wait", "-q").out.split()[0]
    failed = daemon.lines("runs", "history", run_id, "--kind", "attempt_failed", "--step", "fails")
    assert [record["attempt"] for record in failed] == [1, 2]
    assert {record["step"] for record in daemon.lines("runs", "history", run_id, "--step", "nap")} == {"nap"}
    assert "did you mean" in daemon.here("runs", "history", run_id, "--kind", "attempt_fail").err


def test_runs_and_dead_letters_of_a_window(daemon: CommandDaemon) -> None:
    """--since holds its moment, --until does not; with them --filter, --workflow and --state still count."""
    first = daemon.json("runs", "start", "greet", "--key", "window-1", "--label", "a.b=ä", "--wait")
    second = daemon.json("runs", "start", "greet", "--key", "window-2", "--wait")
    mine = ("--workflow", "greet", "--filter", 'key == "window-1" || key == "window-2"', "--state", "succeeded")

    def listed(*arguments: str) -> list[str]:
        return [run["key"] for run in daemon.lines("runs", "list", "--oldest-first", *mine, *arguments)]

    assert listed("--since", "1d") == ["window-1", "window-2"]
    assert listed("--until", "1d") == []
    assert listed("--since", "1d", "--label", "a.b=ä") == ["window-1"]
    assert listed("--since", second["create_time"])[-1] == "window-2"
    assert "window-1" not in listed("--until", first["create_time"])
    assert daemon.json("runs", "count", "--since", "1d", "--until", "0s", *mine) == {"count": 2}
    assert daemon.here("runs", "list", "--until", "1d") == (0, "", "nothing found\n")
    assert daemon.here("runs", "list", "--until", "1d", "--quiet") == (0, "", "")
    assert daemon.lines("dead-letters", "list", "--since", "1d", "--until", "0s") == []
    assert daemon.json("dead-letters", "purge", "--since", "1h") == {"purged": 0}
    assert daemon.here("dead-letters", "purge").code == 2
    assert daemon.here("dead-letters", "redrive", "977") == (4, "", "no such dead letter: 977\n")
    assert daemon.here("dead-letters", "purge", "977", "978") == (4, "purged 0\n", "2 of 2 were not there\n")


@pytest.mark.parametrize(
    "arguments,meant",
    [
        (["runs", "start", "gret"], "greet"),
        (["runs", "start", "greet", "--version", "1.0.1"], "1.0.0"),
        (["workflow", "show", "flakky"], "flaky"),
        (["trigger", "show", "greet", "askd"], "greet/asked"),
        (["plugin", "schema", "log.wirte"], "log.write"),
        (["plugin", "show", "htpp"], "http"),
    ],
)
def test_misspelt_names_are_answered_with_the_nearest(daemon: CommandDaemon, arguments: list[str], meant: str) -> None:
    """Of workflows, versions, triggers, plugins and what they provide."""
    done = daemon.here(*arguments)
    assert done.code == 4
    assert f"did you mean {meant}?" in done.err


def test_what_is_no_run_id_is_answered_with_a_run(daemon: CommandDaemon) -> None:
    """The beginning of an id with the whole, the name of a workflow with its newest run."""
    run_id = daemon.here("runs", "start", "greet", "--wait", "-q").out.split()[0]
    begun = daemon.here("runs", "show", run_id[:20])
    named = daemon.here("runs", "cancel", "greet")

    assert begun == (2, "", f"error: ARGUMENT_INVALID: '{run_id[:20]}' is no run id; did you mean {run_id}?\n")
    assert named == (2, "", f"error: ARGUMENT_INVALID: 'greet' is no run id; the newest run of greet is {run_id}\n")
    assert "`hostd runs list` shows them" in daemon.here("runs", "show", "no-such").err


def test_graphs_differences_and_exports(daemon: CommandDaemon, tmp_path: Path) -> None:
    """Of a registered workflow and of a file; what is exported registers as what it was."""
    file = tmp_path / "greet.yaml"
    run_id = daemon.here("runs", "start", "greet", "--wait", "-q").out.split()[0]
    assert "made  flow.pass  SUCCEEDED" in daemon.here("workflow", "graph", "greet", "--run", run_id).out
    assert daemon.here("workflow", "export", "--dir", str(tmp_path)).out.split() == [
        str(tmp_path / f"{name}.yaml") for name in ("flaky", "greet", "slow")
    ]
    assert daemon.here("workflow", "export", "greet").out == GREET
    assert daemon.here("workflow", "register", str(file)).out.startswith("greet 1.0.0 was registered already")
    assert "flowchart TD" in daemon.here("workflow", "graph", str(file), "--format", "mermaid").out

    file.write_text(GREET.replace("hello", "bye").replace("1.0.0", "1.1.0"))
    same = daemon.here("workflow", "diff", "greet", "greet", "--exit-code")
    assert (same.code, same.out) == (0, "")
    changed = daemon.here("workflow", "diff", str(file), "--exit-code")
    assert changed.code == 1
    assert '~ steps.say.with.message: "hello ${{ input.name }}" -> "bye ${{ input.name }}"' in changed.out
    daemon.here("workflow", "register", "--no-activate", str(file))
    (*_, last) = daemon.lines("workflow", "diff", "greet@1.0.0", "greet@1.1.0")
    assert (last["kind"], last["path"], last["step"]) == ("CHANGED", "steps.say.with.message", "say")


def test_runs_that_have_ended_are_started_once_more(daemon: CommandDaemon) -> None:
    """Input (past 32 KiB too), key and labels are those of before; the version is the active one, or the same."""
    file = daemon.folder / "large.json"
    file.write_text(json.dumps({"name": "ada", "more": "x" * 40_000}))
    given = ("--key", "again", "--label", "team=a", "--input", f"@{file}", "--wait")
    first = daemon.json("runs", "start", "greet", *given)
    run = daemon.json("runs", "rerun", "greet/again", "--wait")
    assert (run["state"], run["key"], run["labels"]) == (
        "SUCCEEDED",
        "again",
        {"team": "a", "rerun_of": first["run_id"]},
    )
    assert run["run_id"] != first["run_id"] and run["input"] == first["input"]
    daemon.register("workflow: falls\nsteps: {a: {uses: flow.fail, with: {message: no}}}\n")
    for name in ("a", "b"):
        daemon.here("runs", "start", "falls", "--key", name, "--wait", "-q")
    daemon.register("workflow: falls\nsteps: {a: {uses: flow.pass}}\n")
    assert daemon.here("runs", "rerun", "falls/a", "--same-version", "--wait").code == 1
    done = piped(daemon, "hostd runs list --filter 'key == \"b\"' -o name | hostd runs rerun - -o name")
    (again,) = done.stdout.split()
    assert daemon.here("runs", "watch", again).code == 0
    (failed,) = [one["run_id"] for one in daemon.lines("runs", "list", "--state", "FAILED", "--filter", 'key == "b"')]
    left = daemon.here("runs", "rerun", failed)
    assert left.code == 5 and "RUN_CLOSED_EXISTS" in left.err
    assert daemon.here("runs", "rerun", failed, "--on-closed", "allow", "--wait").code == 0
    assert len(daemon.lines("runs", "list", "--label", f"rerun_of={failed}")) == 2

    waits = daemon.here("runs", "start", "slow", "-q").out.strip()
    refused = daemon.here("runs", "rerun", waits)
    assert refused.code == 6 and f"RUN_NOT_FINAL: the run {waits} has not ended yet" in refused.err
    daemon.here("runs", "terminate", waits)


def test_a_new_token_is_taken_by_daemon_and_commands(daemon: CommandDaemon) -> None:
    """Commands on the folder go on over TCP; the token before is refused; the daemon's HTTP port knows it too."""
    address = {"HOSTD_ADDRESS": daemon.listen}
    before = (daemon.data / "token").read_text().strip()
    path = daemon.json("token", "rotate")["path"]
    assert Path(path).read_text().strip() != before
    assert daemon.here("runs", "count", env=address).code == 0
    assert daemon.here("runs", "count", env={**address, "HOSTD_TOKEN": before}).code == 3
    shown = daemon.json("token", "show")
    assert (shown["path"], shown["readable"]) == (path, True)
    assert before not in daemon.here("token", "show").out
    assert "JOURNAL_LOCKED" in daemon.here("token", "rotate", "--offline").err


def test_care_of_a_daemon_that_runs(daemon: CommandDaemon) -> None:
    """doctor, cluster, namespaces, compacting: each answers, and says what it cannot do while the daemon runs."""
    doctor = daemon.here("doctor", "-o", "json")
    found = {item["check"]: item["verdict"] for item in map(json.loads, doctor.out.splitlines())}
    assert (found["daemon"], found["journal"], found["plugin"], found["port.grpc"]) == ("ok", "ok", "ok", "ok")
    (peer,) = daemon.lines("cluster", "show")
    assert peer["address"] == daemon.listen
    assert "default" in [item["name"] for item in daemon.lines("namespace", "list")]
    done = daemon.json("journal", "compact")
    assert (done["stage"], done["deleted"]) == ("DONE", 0)
    assert "JOURNAL_LOCKED" in daemon.here("journal", "compact", "--offline").err


def test_shells_complete_names_from_the_daemon(daemon: CommandDaemon) -> None:
    """Workflows and their versions, runs, triggers, components."""

    def completed(words: str) -> list[str]:
        asked = {"_HOSTD_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        command = [sys.executable, "-c", "from hostd.cli.main import main; main()"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**daemon.env, **asked})
        assert done.stderr == ""
        return [line.removeprefix("plain,") for line in done.stdout.splitlines()]

    def asked(words: str) -> list[str]:
        """Return what is completed; nothing is said where the daemon takes longer than a press of a key may."""
        return next((found for _ in range(30) if (found := completed(words)) not in ([], [""])), [])

    assert asked("hostd runs start gr") == ["greet"]
    assert asked("hostd trigger show ") == ["greet/asked"]
    assert asked("hostd runs list --workflow gre") == ["greet"]
    assert "1.0.0" in asked("hostd workflow activate greet ")
    assert asked("hostd plugin docs http.w") == ["http.webhook"]
    run_id = daemon.here("runs", "start", "greet", "--wait", "-q").out.split()[0]
    assert run_id in asked("hostd runs show ")


def test_a_stopped_journal_is_made_small(tmp_path: Path) -> None:
    """`journal compact --offline` on the folder of a daemon that stopped; the next start goes on with it."""
    with closing(CommandDaemon(tmp_path)) as daemon:
        daemon.start()
        daemon.register(GREET)
        daemon.here("runs", "start", "greet", "--wait")
        assert daemon.stop() == 0
        done = daemon.json("journal", "compact", "--offline")
        assert done["size_bytes"] <= done["size_before_bytes"]
        assert daemon.json("token", "rotate", "--offline")["path"] == str(daemon.data / "token")
        daemon.start()
        assert daemon.json("runs", "count")["count"] == 1
        assert daemon.stop() == 0
