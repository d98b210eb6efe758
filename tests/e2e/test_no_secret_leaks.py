"""Secrets of every provider, used in every place of a real daemon; then all it keeps, tells and answers is searched."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import grpc
import pytest
from every_rpc import CALCULATES, CHANGES, Everything, filled, methods
from leaky_documents import OUTLIVES, TRIGGERS, USES
from processes import HOSTD, DaemonProcess, wait_until
from secret_shapes import found_in, shapes

SECRETS = {
    "of_environment": 'env1/"Tök\\en"+&=?~<x>',
    "of_file": "file2+päss/word==&%41 'q'",
    "of_folder": "folder3\\path\\nope/äöü+++",
    "of_systemd": 'cred4"quoted" \u20ac/%2F~\u2028x',
    "of_store": "store5{json:[]}/+==?&#;\t tab",
    "of_hooks": "hook6-plain-shared-key/+",
    "of_number": "7700991155331",
}
WRONG = 'wrong8/"never a secret" sent+&=' * 2


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with all it was told."""

    def do_POST(self) -> None:
        """Echo path, headers and body, in headers and body."""
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        told = json.dumps({"path": self.path, "headers": dict(self.headers), "body": body}).encode()
        self.send_response(200 if self.path.startswith("/echo") else 403)
        self.send_header("content-type", "application/json")
        self.send_header("x-told", self.path)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def do_GET(self) -> None:
        """The same."""
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a server that echoes."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon that says all it can, with secrets in every provider."""
    credentials = tmp_path / "credentials"
    env = {
        "HOSTD_SECRET_OF_ENVIRONMENT": SECRETS["of_environment"],
        "HOSTD_SECRET_OF_HOOKS": SECRETS["of_hooks"],
        "HOSTD_SECRET_OF_NUMBER": SECRETS["of_number"],
        "CREDENTIALS_DIRECTORY": str(credentials),
        "HOSTD_LOG__LEVEL": "debug",
        "HOSTD_PLUGINS__PROCESS": '["mock"]',
        "HOSTD_PLUGINS__SETTINGS__HTTP__PRIVATE": "true",
    }
    daemon = DaemonProcess(tmp_path, **env)
    (daemon.data / "secrets").mkdir(parents=True, mode=0o700)
    daemon.data.chmod(0o700)
    private(daemon.data / "secrets.yaml", "of_file: " + json.dumps(SECRETS["of_file"]))
    private(daemon.data / "secrets" / "of_folder", SECRETS["of_folder"])
    credentials.mkdir()
    private(credentials / "of_systemd", SECRETS["of_systemd"])
    plugin = daemon.data / "plugins" / "leaky"
    plugin.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "support" / "leaky_plugin.py", plugin / "__init__.py")
    yield daemon
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.signal(signal.SIGTERM)
        daemon.wait()
    daemon.close()


def private(path: Path, text: str) -> None:
    """Write a file for its owner alone."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_secret_is_kept_told_or_answered(daemon: DaemonProcess, echo: str, tmp_path: Path) -> None:
    """Journal, log, copies, every answer, metrics and the command line are searched for every shape."""
    daemon.start()
    told = [set_secret(daemon, "of_store")]
    wait_until(lambda: "leaky.spill" in daemon.ok("plugin", "list", "-o", "json"), "the plugin")
    told += [register(daemon, tmp_path, text) for text in (USES, TRIGGERS, OUTLIVES)]
    runs = [start(daemon, "uses", {"url": echo})]
    call_hook(daemon)
    wait_until(lambda: state(daemon, runs[0]) == "FAILED", "the run")
    steps = {step["id"]: step for step in daemon.json("runs", "show", runs[0])["steps"]}
    assert steps["spills"]["state"] == "SUCCEEDED" and steps["http"]["state"] == "SUCCEEDED", steps
    assert "***" in json.dumps(steps["http"]["output"]) and "***" in json.dumps(steps["spills"]["output"])

    runs.append(outlived(daemon))
    wait_until(lambda: len(lines(daemon, "runs", "list")) >= 5, "the runs of triggers")
    wait_until(lambda: lines(daemon, "dead-letters", "list"), "a dead letter")
    send_wrong_things(daemon)
    told += command_line(daemon, runs)
    answers = all_answers(daemon)
    with urlopen(f"http://{daemon.http}/metrics") as answer:
        metrics = answer.read()
    daemon.ok("journal", "backup", "copy.db")
    early = kept(daemon)
    daemon.signal(signal.SIGTERM)
    daemon.wait()

    leaks = {f"cli {n}": found_in(text.encode(), SECRETS) for n, text in enumerate(told)}
    leaks |= {f"answer of {name}": found_in(answer, SECRETS) for name, answer in answers.items()}
    leaks |= {"metrics": found_in(metrics, SECRETS)}
    everything = SECRETS | {"wrong": WRONG}
    leaks |= {f"{name}, running": found_in(data, everything) for name, data in early.items()}
    leaks |= {name: found_in(data, everything) for name, data in kept(daemon).items()}
    assert {place: found for place, found in leaks.items() if found} == {}
    names = set(early) | set(kept(daemon))
    assert {"journal.db", "journal.db-wal", "backups/copy.db", "secrets.store", "../daemon.log"} <= names
    assert any(name.startswith("logs/") for name in names)


def test_every_shape_is_looked_for() -> None:
    """The search itself finds each shape, wherever it stands."""
    for name, secret in SECRETS.items():
        for shape, text in shapes(secret).items():
            assert f"{name} {shape}" in found_in(b"\x00..." + text + b"...", SECRETS)


# -- using


def set_secret(daemon: DaemonProcess, name: str) -> str:
    """Set a secret from standard input; return what was printed."""
    done = subprocess.run(
        [*HOSTD, "secret", "set", name, "-"],
        input=SECRETS[name].encode(),
        env=daemon.env,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).decode()


def register(daemon: DaemonProcess, folder: Path, text: str) -> str:
    """Register a document; return what was printed."""
    (folder / "document.yaml").write_text(text)
    return daemon.ok("workflow", "register", str(folder / "document.yaml"))


def start(daemon: DaemonProcess, workflow: str, value: Any) -> str:
    """Start a run."""
    run_id: str = daemon.json("runs", "start", workflow, "--input", json.dumps(value))["run_id"]
    return run_id


def state(daemon: DaemonProcess, run_id: str) -> str:
    """Return a run's state."""
    found: str = daemon.json("runs", "show", run_id)["state"]
    return found


def outlived(daemon: DaemonProcess) -> str:
    """Kill the daemon above an attempt in a plugin's process; the next daemon gets what it answers."""
    told = daemon.log.read_text().count("resting")
    run_id = start(daemon, "outlives", None)
    wait_until(lambda: daemon.ok("runs", "history", run_id).count("ATTEMPT_STARTED") == 2, "the attempts")
    wait_until(lambda: daemon.log.read_text().count("resting") > told, "the attempt in its midst")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    wait_until(lambda: state(daemon, run_id) == "SUCCEEDED", "the run that outlives")
    history = daemon.ok("runs", "history", run_id)
    assert "ATTEMPT_LOST" not in history
    assert "late it is ***" in daemon.log.read_text()
    return run_id


def call_hook(daemon: DaemonProcess) -> None:
    """Send the webhook one request with a good signature and one without; the body shows the key."""
    body = json.dumps({"shows": SECRETS["of_hooks"]}).encode()
    good = hmac.new(SECRETS["of_hooks"].encode(), body, hashlib.sha256).hexdigest()
    url = f"http://{daemon.http}/hooks/default/hook"

    def send(signature: str) -> int:
        request = Request(url, body, {"content-type": "application/json", "x-signature": signature})
        try:
            with urlopen(request) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    wait_until(lambda: send(good) in (200, 202), "the webhook")
    assert send("0" * 64) == 401
    for path in ("hooks/default/", "hooks/", "events/", "v1/", ""):
        odd = Request(f"http://{daemon.http}/{path}{quote(WRONG)}?q={quote(WRONG)}", body, {"x-odd": quote(WRONG)})
        with pytest.raises(HTTPError) as refused:
            urlopen(odd)
        refused.value.close()


def send_wrong_things(daemon: DaemonProcess) -> None:
    """Send every method a request full of a text, in and out of a namespace; nobody keeps what was refused."""
    with grpc.insecure_channel(f"unix:{daemon.data}/run/hostd.sock") as channel:
        ask = Everything(channel, {})
        for method in methods():
            answers = ask.ask(method, filled(method, WRONG))
            if method.name not in CALCULATES:
                answers += ask.ask(method, filled(method, WRONG, but=frozenset({"namespace"})))
            if method.containing_service.name == "SecretService":
                assert found_in(b"".join(answers), {"wrong": WRONG}) == []


# -- looking


def lines(daemon: DaemonProcess, *arguments: str) -> list[Any]:
    """Return the list a command prints."""
    return [json.loads(line) for line in daemon.ok(*arguments, "-o", "json").splitlines()]


def command_line(daemon: DaemonProcess, runs: list[str]) -> list[str]:
    """Return what commands print, errors included."""
    commands = [
        *(("runs", verb, run) for run in runs for verb in ("show", "history", "logs")),
        *((*name, form) for name in (("runs", "list", "-o"), ("trigger", "list", "-o")) for form in ("json", "table")),
        ("dead-letters", "list"),
        *(("dead-letters", "show", str(letter["number"])) for letter in lines(daemon, "dead-letters", "list")),
        ("audit", "list"),
        ("secret", "list"),
        ("secret", "rotate-key"),
        ("secret", "set", "of_store", SECRETS["of_store"]),
        ("secret", "set", "of_store", "--file", "/nowhere"),
        ("plugin", "list"),
        ("workflow", "list"),
        ("info",),
        ("config", "show", "--origin"),
    ]
    done = [daemon.run(*command) for command in commands]
    return [one.stdout + one.stderr for one in done]


def all_answers(daemon: DaemonProcess) -> dict[str, bytes]:
    """Return what every method that reads answers to every request that makes sense, by its name."""
    digests = sqlite3.connect(f"file:{daemon.data}/journal.db?mode=ro", uri=True).execute(
        "select hex(digest) from blobs"
    )
    plugins = lines(daemon, "plugin", "list")
    known: dict[str, list[Any]] = {
        "run_id": [run["run_id"] for run in lines(daemon, "runs", "list")],
        "workflow": [item["workflow"] for item in lines(daemon, "workflow", "list")],
        "trigger": [item["name"] for item in lines(daemon, "trigger", "list")],
        "GetTriggerRequest.name": [item["name"] for item in lines(daemon, "trigger", "list")],
        "number": [item["number"] for item in lines(daemon, "dead-letters", "list")],
        "GetPluginRequest.id": [plugin["id"] for plugin in plugins],
        "GetComponentSchemaRequest.id": ["leaky.spill", "leaky.tell", "http.request"],
        "digest": [digest.lower() for (digest,) in digests],
        "topics": ["*"],
        "SubscribeEventsRequest.after": [0],
    }
    with grpc.insecure_channel(f"unix:{daemon.data}/run/hostd.sock") as channel:
        ask = Everything(channel, known)
        reading = [method for method in methods() if method.name not in CHANGES | CALCULATES]
        answers = {method.name: b"".join(ask.read(method)) for method in reading}
        previews = [method for method in methods() if method.name == "PreviewSchedule"]
        answers |= {method.name: b"".join(ask.read(method)) for method in previews}
    assert {method.name for method in reading} <= ask.answered, "teach `known` what this rpc needs, or say it changes"
    return answers


def kept(daemon: DaemonProcess) -> dict[str, bytes]:
    """Return every file that the daemon wrote, by name, and its log."""
    given = ("secrets.yaml", "secrets/", "plugins/")
    files = {path.relative_to(daemon.data).as_posix(): path for path in daemon.data.rglob("*") if path.is_file()}
    found = {name: path.read_bytes() for name, path in files.items() if not name.startswith(given)}
    return found | {"../daemon.log": daemon.log.read_bytes()}
