"""The command line against a real daemon: every verb, what it prints, and how it fails."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commands import CommandDaemon as Daemon
from processes import HOSTD

from hostd.errors.reasons import REASONS

WORKFLOW = """\
workflow: greet
version: 1.0.0
description: Says hello
inputs: {type: object, properties: {name: {type: string, default: you}}}
triggers:
  asked: {uses: http.webhook, with: {path: /greet}, input: {name: "${{ event.data.name }}"}}
steps:
  say: {uses: log.write, with: {message: "hello ${{ input.name }}"}}
  made: {needs: say, uses: flow.pass, with: {output: {text: "hello ${{ input.name }}", n: 9007199254740993}}}
output: ${{ steps.made.output }}
"""
SLOW = "workflow: slow\nsteps: {wait: {uses: flow.wait, with: {duration: 1h}}}\n"
FAILS = "workflow: fails\nsteps: {no: {uses: flow.fail, with: {message: on purpose}}}\n"
LARGE = (
    "workflow: large\nsteps: {a: {uses: flow.pass, with: {output: '${{ input.t }}'}}}\noutput: ${{ steps.a.output }}\n"
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Return a daemon that all tests of this file share."""
    with closing(Daemon(tmp_path_factory.mktemp("cli"))) as daemon:
        daemon.start()
        for text in (WORKFLOW, SLOW, FAILS, LARGE):
            daemon.register(text)
        yield daemon
        daemon.stop()


def test_the_life_of_a_workflow(daemon: Daemon) -> None:
    """register, show, versions, activate, deactivate, list, delete."""
    first = daemon.register("workflow: life\nsteps: {a: {uses: flow.pass}}\n")
    assert first["created"] is True
    assert first["workflow"]["active_version"] == "0.0.1"
    assert daemon.register("workflow: life\nsteps: {a: {uses: flow.pass}}\n")["created"] is False
    (daemon.folder / "two.yaml").write_text("# two\n---\nworkflow: life\nsteps: {b: {uses: flow.pass}}\n")
    text = daemon.here("workflow", "register", "--no-activate", str(daemon.folder / "two.yaml")).out
    assert text == "life 0.0.2 registered, active is 0.0.1\n"

    assert [item["version"] for item in daemon.lines("workflow", "versions", "life")] == ["0.0.2", "0.0.1"]
    assert daemon.json("workflow", "activate", "life", "0.0.2", "--expect", "0.0.1")["active_version"] == "0.0.2"
    assert daemon.here("workflow", "activate", "life", "0.0.1", "--expect", "0.0.1").code == 7
    assert daemon.json("workflow", "deactivate", "life")["active_version"] == ""
    assert daemon.here("runs", "start", "life").code == 6
    shown = daemon.json("workflow", "show", "life", "--version", "0.0.2")
    assert shown["version"]["version"] == "0.0.2"
    assert "steps: {b:" in daemon.here("workflow", "show", "life", "--version", "0.0.2", "--source").out
    assert "life" in [item["workflow"] for item in daemon.lines("workflow", "list")]
    assert "life" in daemon.here("workflow", "list").out
    assert daemon.here("workflow", "delete", "life").code == 0
    assert daemon.here("workflow", "show", "life").code == 4


def test_commands_that_let_triggers_begin_warn(daemon: Daemon) -> None:
    """workflow activate, trigger resume, trigger apply: as workflow register does, of one whose path is taken."""
    hook = "uses: http.webhook, with: {path: contested}"
    for name in ("first", "second"):
        daemon.register(f"workflow: {name}\ntriggers:\n  door: {{{hook}}}\nsteps: {{a: {{uses: flow.pass}}}}\n")
    activated = daemon.here("workflow", "activate", "second", "0.0.1")
    assert activated.out == "second: active is 0.0.1\n"
    assert activated.err.startswith("warning: the trigger door does not run: PATH_TAKEN: ")
    assert daemon.here("trigger", "resume", "second/door").out.startswith("second/door FAILED: PATH_TAKEN: ")
    own = "trigger: mine\ntarget: first@active\nuses: http.webhook\nwith: {path: contested}\n"
    (daemon.folder / "mine.yaml").write_text(own)
    applied = daemon.here("trigger", "apply", str(daemon.folder / "mine.yaml"))
    assert "warning: the trigger mine does not run: PATH_TAKEN: " in applied.err
    assert daemon.here("trigger", "pause", "mine").out == "mine PAUSED\n"
    assert daemon.here("trigger", "delete", "mine").code == 0
    for name in ("first", "second"):
        assert daemon.here("workflow", "deactivate", name).err == ""


def test_a_wrong_document_shows_every_mistake(daemon: Daemon) -> None:
    """workflow validate and register: each with file, line and column, exit code 2."""
    file = daemon.folder / "bad.yaml"
    file.write_text("workflow: Bad\nsteps:\n" + "".join(f"  s{n}: {{usse: log.write}}\n" for n in range(60)))

    checked = daemon.here("workflow", "validate", str(file))
    assert checked.code == 2
    assert checked.out.splitlines()[0].startswith(f"{file}:1:11 workflow: NAME_INVALID ")
    assert len(checked.out.splitlines()) > 100
    refused = daemon.here("workflow", "register", str(file))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: DOCUMENT_INVALID: ")
    assert all(f"  {line}" in refused.err for line in checked.out.splitlines())


def test_a_run_from_start_to_history(daemon: Daemon) -> None:
    """start, watch, show, history, logs, list, count, delete; numbers past 2^53 arrive whole."""
    started = daemon.json("runs", "start", "greet", "--input", '{"name": "Ada"}', "--key", "k/1", "--label", "team=a")
    run_id = started["run_id"]
    assert started == {"run_id": run_id, "existing": False, "version": "1.0.0"}
    watched = daemon.here("runs", "watch", "greet/k/1")
    assert watched.code == 0
    assert f"run {run_id} SUCCEEDED in " in watched.out.splitlines()[-1]

    run = daemon.json("runs", "show", "greet/k/1")
    assert run["run_id"] == run_id
    assert (run["state"], run["outcome"], run["labels"]) == ("SUCCEEDED", "SUCCEEDED", {"team": "a"})
    assert run["input"] == {"name": "Ada"}
    assert run["output"] == {"text": "hello Ada", "n": 9007199254740993}
    assert [step["state"] for step in run["steps"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert run["create_time"].endswith("Z")
    text = daemon.here("runs", "show", run_id).out
    assert "STEP  USES" in text
    assert "hello Ada" in text

    records = daemon.lines("runs", "history", run_id)
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert records[0]["kind"] == "RUN_STARTED"
    assert records == daemon.lines("runs", "watch", run_id)
    assert any("hello Ada" in line["text"] for line in daemon.lines("runs", "logs", run_id, "--step", "say"))
    listed = daemon.lines(
        "runs", "list", "--workflow", "greet", "--filter", 'labels.team == "a"', "--state", "succeeded"
    )
    assert [item["run_id"] for item in listed] == [run_id]
    assert daemon.json("runs", "count", "--workflow", "greet", "--filter", 'key == "k/1"') == {"count": 1}
    assert daemon.here("runs", "delete", run_id).code == 0
    gone = daemon.here("runs", "show", run_id)
    assert (gone.code, gone.out) == (4, "")
    assert gone.err.startswith("error: RUN_MISSING: ")


def test_waiting_for_a_run_exits_as_it_ended(daemon: Daemon) -> None:
    """runs start --wait prints the run; FAILED is exit code 1."""
    done = daemon.here("runs", "start", "greet", "--wait", "-o", "yaml")
    assert done.code == 0
    assert "\n  text: hello you\n" in done.out
    failed = daemon.here("runs", "start", "fails", "--wait", "-o", "json")
    assert failed.code == 1
    assert json.loads(failed.out)["failures"][0]["message"] == "on purpose"


def test_steering_a_run(daemon: Daemon) -> None:
    """pause, resume, cancel, terminate; what is final refuses."""
    first, second = (daemon.json("runs", "start", "slow")["run_id"] for _ in range(2))
    assert daemon.json("runs", "pause", first, "--reason", "look")["state"] == "PAUSED"
    assert daemon.json("runs", "resume", first)["state"] in ("RUNNING", "WAITING")
    assert daemon.here("runs", "delete", first).code == 6
    assert daemon.here("runs", "cancel", first).code == 0
    assert daemon.here("runs", "watch", first).code == 12
    assert daemon.json("runs", "terminate", second)["reason"] == "TERMINATED"
    refused = daemon.here("runs", "pause", second)
    assert refused.code == 6
    assert refused.err.startswith("error: RUN_FINAL: ")


def test_a_run_is_told_something(daemon: Daemon) -> None:
    """runs signal and signal-with-start take JSON; the run shows what it keeps; a repeated id is told so."""
    (daemon.folder / "order.yaml").write_text(
        "workflow: order\nsignals: {PAY: {type: object, required: [amount]}}\n"
        "steps: {a: {uses: flow.wait, with: {duration: 1h}}}\n"
    )
    assert daemon.here("workflow", "register", f"{daemon.folder}/order.yaml").code == 0
    started = daemon.json("runs", "signal-with-start", "order", "A", "PAY", "--data", '{"amount": 1}')
    pay = ("runs", "signal", "order/A", "PAY", "--data", '{"amount": 2}', "--request-id", "p-2")
    told = [daemon.json(*pay) for _ in range(2)]
    bad = daemon.here("runs", "signal", started["run_id"], "PAY")
    shown = daemon.json("runs", "show", "order/A")

    assert [each["repeated"] for each in told] == [False, True]
    assert bad.code == 2 and bad.err.startswith("error: SIGNAL_INVALID: ")
    assert shown["signals"] == {"PAY": 2} and started["existing"] is False
    assert "SIGNAL_RECEIVED" in daemon.here("runs", "history", "order/A").out
    daemon.here("runs", "terminate", "order/A")


def test_repeated_starts(daemon: Daemon) -> None:
    """A request id and a key name what is there already."""
    once = daemon.json("runs", "start", "slow", "--request-id", "r-1", "--key", "only")
    again = daemon.json("runs", "start", "slow", "--request-id", "r-1", "--key", "only")
    assert (again["run_id"], again["existing"]) == (once["run_id"], True)
    assert daemon.here("runs", "start", "slow", "--key", "only").code == 5
    used = daemon.json("runs", "start", "slow", "--key", "only", "--on-open", "use-existing")
    assert used["run_id"] == once["run_id"]
    daemon.here("runs", "terminate", once["run_id"])
    assert daemon.here("runs", "start", "slow", "--key", "only", "--on-closed", "reject").code == 5


def test_large_values_are_blobs(daemon: Daemon) -> None:
    """Past 32 KiB a digest is printed, and `runs blob` reads it."""
    (daemon.folder / "in.json").write_text(json.dumps({"t": "x" * 50_000}))
    done = daemon.here("runs", "start", "large", "--input", f"@{daemon.folder}/in.json", "--wait", "-o", "json")

    output = done.json["output"]

    assert output["size_bytes"] == 50_002
    assert daemon.here("runs", "blob", output["$blob"]).out == json.dumps("x" * 50_000)
    assert daemon.here("runs", "blob", "00" * 32).code == 4


def test_lists_go_on_over_pages(daemon: Daemon) -> None:
    """--limit is what is printed at most, the newest first."""
    ids = [daemon.json("runs", "start", "greet", "--label", "pages=yes")["run_id"] for _ in range(3)]
    given = ("runs", "list", "--filter", 'labels.pages == "yes"')

    assert [run["run_id"] for run in daemon.lines(*given)] == ids[::-1]
    assert [run["run_id"] for run in daemon.lines(*given, "--limit", "2")] == ids[:0:-1]
    assert [run["run_id"] for run in daemon.lines(*given, "--oldest-first", "--limit", "1")] == ids[:1]


def test_triggers(daemon: Daemon) -> None:
    """list, show, fire, pause, resume."""
    assert [(item["workflow"], item["name"]) for item in daemon.lines("trigger", "list")] == [("greet", "asked")]
    fired = daemon.json("trigger", "fire", "greet", "asked", "--event-data", '{"name": "Eve"}', "--event-id", "e1")
    assert fired["outcome"] == "STARTED"
    assert daemon.here("runs", "watch", fired["run_ids"][0]).code == 0
    assert daemon.json("runs", "show", fired["run_ids"][0])["input"] == {"name": "Eve"}
    assert daemon.json("trigger", "fire", "greet/asked", "--event-id", "e1")["outcome"] == "DUPLICATE"
    assert daemon.json("trigger", "pause", "greet", "asked", "--reason", "quiet")["state"] == "PAUSED"
    assert daemon.here("trigger", "resume", "greet/asked").code == 0
    assert daemon.json("trigger", "show", "greet", "asked")["fired"] >= 1
    assert daemon.here("trigger", "show", "greet", "nothing").code == 4


def test_plugins(daemon: Daemon) -> None:
    """list, show, schema."""
    assert {"id", "state", "components"} <= daemon.lines("plugin", "list")[0].keys()
    assert daemon.json("plugin", "show", "http")["state"] == "LOADED"
    schema = daemon.json("plugin", "schema", "http.request")
    assert schema["schema"]["properties"]["url"]
    assert isinstance(schema["sample"], dict)
    text = daemon.here("plugin", "schema", "http.request").out
    assert "OPTION" in text
    assert "with:" in text
    assert daemon.here("plugin", "show", "nothing").code == 4


def test_the_journal_of_a_running_daemon(daemon: Daemon) -> None:
    """backup and check go on beside it; repair and an offline copy are refused."""
    target = daemon.folder / "copy.db"
    done = daemon.json("journal", "backup", str(target))
    assert done["size_bytes"] == target.stat().st_size
    assert daemon.here("journal", "check", str(target)).code == 0
    assert daemon.here("journal", "check").code == 0
    for command in (("check", "--repair"), ("backup", str(daemon.folder / "x.db"), "--offline")):
        refused = daemon.here("journal", *command)
        assert refused.code == 9
        assert refused.err.startswith("error: JOURNAL_LOCKED: ")


def test_info_and_health(daemon: Daemon) -> None:
    """info as JSON has numbers as numbers; health knows services."""
    info = json.loads(daemon.run("info", "-o", "json").stdout)
    assert info["limits"]["value_bytes"] == 1 << 20
    assert info["journal"]["kind"] == "sqlite"
    assert daemon.here("health", "--service", "hostd.v1.RunService").out == "SERVING\n"
    assert daemon.here("health", "--service", "nothing").code != 0


def test_the_port_wants_the_token(daemon: Daemon) -> None:
    """The folder's token is taken, another or none is refused with exit code 3."""
    address = {"HOSTD_ADDRESS": daemon.listen}
    assert daemon.here("runs", "count", env=address).code == 0
    wrong = daemon.here("runs", "count", env={**address, "HOSTD_TOKEN": "wrong"})
    assert wrong.code == 3
    assert wrong.err.startswith("error: TOKEN_INVALID: ")
    none = daemon.here("runs", "count", "--data", str(daemon.folder), env=address)
    assert none.code == 3
    assert none.err.startswith("error: TOKEN_MISSING: ")
    (daemon.folder / "token-copy").write_text((daemon.data / "token").read_text())
    file = {**address, "HOSTD_TOKEN_FILE": str(daemon.folder / "token-copy")}
    assert daemon.here("runs", "count", "--data", str(daemon.folder), env=file).code == 0


@pytest.mark.parametrize(
    "arguments,code,reason",
    [
        (["runs", "start", "nothing"], 4, "WORKFLOW_MISSING"),
        (["runs", "start", "greet", "--version", "9.9.9"], 4, "VERSION_MISSING"),
        (["runs", "start", "greet", "--input", '{"name": 1}'], 2, "INPUT_INVALID"),
        (["runs", "start", "greet", "--input", "{"], 2, "PAYLOAD_INVALID"),
        (["runs", "start", "greet", "--key", "k" * 300], 2, "ARGUMENT_INVALID"),
        (["runs", "show", "nothing"], 2, "ARGUMENT_INVALID"),
        (["runs", "show", "0" * 26], 4, "RUN_MISSING"),
        (["runs", "watch", "0" * 26], 4, "RUN_MISSING"),
        (["runs", "list", "--filter", "color == 1"], 2, "INVALID_FILTER"),
        (["workflow", "activate", "nothing", "1.0.0"], 4, "WORKFLOW_MISSING"),
        (["plugin", "schema", "nothing.at_all"], 4, "PLUGIN_MISSING"),
    ],
)
def test_bad_requests_have_reason_code_and_fix(daemon: Daemon, arguments: list[str], code: int, reason: str) -> None:
    """Nothing on standard output; the reason first, what to do last."""
    done = daemon.here(*arguments)

    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"error: {reason}: ")
    fix = REASONS[reason].fix.rstrip(".").lower()
    assert "\nfix: " in done.err or fix in done.err.lower()  # a fix that the message tells stands once


def test_namespaces_keep_apart(daemon: Daemon) -> None:
    """What is in one is not in another."""
    assert daemon.lines("workflow", "list", "--namespace", "other") == []
    assert daemon.here("runs", "start", "greet", "--namespace", "other").code == 4


def test_a_watch_goes_on_over_a_kill(tmp_path: Path) -> None:
    """The daemon is killed and started again; the watch prints every record once and ends with the run."""
    with closing(Daemon(tmp_path)) as daemon:
        daemon.start()
        daemon.register("workflow: nap\nsteps: {nap: {uses: flow.wait, with: {duration: 8s}}}\n")
        run_id = daemon.json("runs", "start", "nap")["run_id"]
        command = [*HOSTD, "runs", "watch", run_id, "--reconnect", "120", "-o", "json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=daemon.env, text=True, **pipes) as watch:  # type: ignore[call-overload]
            first = watch.stdout.readline()
            daemon.stop(signal.SIGKILL)
            daemon.start()
            rest = watch.stdout.read()  # not communicate(): it would pass over what readline() has buffered
            err = watch.stderr.read()
            assert watch.wait(timeout=120) == 0
        assert daemon.stop() == 0

    assert "the connection was lost" in err
    records = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert records[-1]["run_state"] == "SUCCEEDED"


def test_a_second_daemon_on_the_same_folder_says_who_is_there(daemon: Daemon) -> None:
    """JOURNAL_LOCKED, exit code 9, no traceback."""
    done = daemon.run("serve", "--listen", "127.0.0.1:0", "--http", "off")

    assert (done.returncode, done.stdout) == (9, "")
    assert "error: JOURNAL_LOCKED: " in done.stderr
