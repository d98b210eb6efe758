"""`make demo`: a real workflow from a webhook to its end, through a `kill -9` in the middle.

Starts the daemon on SQLite and a small exchange, registers plugins/examples/price_watch, fires it by a webhook and a
cron slot, prints the timeline live, kills the daemon in the middle of an order, starts it again, and shows that the run
completes with every step's result used once. Exit code 0 only if all of that is so.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from exchange import Exchange  # noqa: E402
from processes import free_port  # noqa: E402

HOSTD = [sys.executable, "-m", "hostd"]
WORKFLOW = ROOT / "plugins" / "examples" / "price_watch" / "workflow.yaml"
BOLD, DIM, GREEN, RED, END = (
    ("\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m") if sys.stdout.isatty() else ("",) * 5
)


def say(text: str) -> None:
    """Print a line of the story."""
    print(f"{BOLD}==> {text}{END}", flush=True)


class Demo:
    """One run of the demo in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "daemon.log"
        self.exchange = Exchange(0)
        threading.Thread(target=self.exchange.serve_forever, daemon=True).start()
        self.http = f"127.0.0.1:{free_port()}"
        self.env = {
            **os.environ,
            "HOSTD_DATA": str(self.data),
            "HOSTD_ENV": '["EXCHANGE_URL"]',
            "HOSTD_EGRESS__PRIVATE": "true",
            "EXCHANGE_URL": f"http://127.0.0.1:{self.exchange.server_address[1]}",
        }
        self.daemon: subprocess.Popen[bytes] | None = None

    def start_daemon(self) -> None:
        """Start the daemon and wait until it answers."""
        with self.log.open("ab") as log:
            command = [*HOSTD, "serve", "--listen", f"127.0.0.1:{free_port()}", "--http", self.http]
            self.daemon = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.daemon.poll() is None:
            if subprocess.run([*HOSTD, "health"], env=self.env, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit(f"{RED}the daemon did not start; {self.log} says:{END}\n{self.log.read_text()[-3000:]}")

    def hostd(self, *arguments: str) -> str:
        """Run a command and return what it prints."""
        done = subprocess.run([*HOSTD, *arguments], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{RED}hostd {' '.join(arguments)} failed ({done.returncode}):{END}\n{done.stderr}")
        return done.stdout

    def post(self, path: str, value: Any) -> dict[str, Any]:
        """Send a webhook; return the answer."""
        url = f"http://{self.http}{path}"
        request = urllib.request.Request(url, json.dumps(value).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def watch(self, run_id: str) -> subprocess.Popen[bytes]:
        """Print a run's timeline live, across restarts of the daemon."""
        return subprocess.Popen([*HOSTD, "runs", "watch", run_id, "--reconnect", "120"], env=self.env)

    def run_of(self, run_id: str) -> dict[str, Any]:
        """Return a run as JSON."""
        run: dict[str, Any] = json.loads(self.hostd("runs", "show", run_id, "-o", "json"))
        return run

    def wait_for(self, what: str, test: Any, seconds: float = 120) -> None:
        """Wait until a test holds."""
        until = time.monotonic() + seconds
        while not test():
            if time.monotonic() > until:
                raise SystemExit(f"{RED}gave up waiting for {what}{END}")
            time.sleep(0.1)

    def close(self) -> None:
        """Stop everything in good order."""
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(timeout=120)
        self.exchange.shutdown()


def main() -> int:
    """Play the demo; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="hostd-demo-") as folder:
        demo = Demo(Path(folder))
        try:
            return play(demo)
        finally:
            demo.close()


def play(demo: Demo) -> int:
    """Tell the story."""
    began = time.monotonic()
    say(f"start a daemon on an empty folder ({demo.data})")
    demo.start_daemon()
    say("register the workflow plugins/examples/price_watch/workflow.yaml")
    print(demo.hostd("workflow", "register", str(WORKFLOW)), end="")
    say('fire it by a webhook: POST /hooks/default/prices {"coin": "btc"}')
    demo.wait_for("the webhook", lambda: "ACTIVE" in demo.hostd("trigger", "show", "price-watch", "asked"))
    answer = demo.post("/hooks/default/prices", {"coin": "btc"})
    print(json.dumps(answer))
    run_id = answer["run_ids"][0]
    say("the run, live")
    watch = demo.watch(run_id)
    placed = demo.exchange.book.requests
    demo.wait_for("the order", lambda: any(run == run_id for _, run in placed))
    time.sleep(0.3)
    say("kill -9 while the order is under way")
    assert demo.daemon is not None
    demo.daemon.send_signal(signal.SIGKILL)
    demo.daemon.wait()
    say("start it again")
    demo.start_daemon()
    if watch.wait(timeout=120) != 0:
        print(f"{RED}the run did not succeed{END}")
        return 1
    say("what became of it")
    print(demo.hostd("runs", "show", run_id), end="")
    faults = faults_of(demo, run_id)
    say("runs that the cron slots started")
    demo.wait_for("a cron slot's run", lambda: cron_runs(demo), 25)
    print(demo.hostd("runs", "list"), end="")
    for fault in faults:
        print(f"{RED}{fault}{END}")
    if not faults:
        say(f"{GREEN}every acknowledged step was used once, across a kill -9; {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


def cron_runs(demo: Demo) -> list[str]:
    """Return the lines of finished runs that the schedule started."""
    listed = demo.hostd("runs", "list", "--filter", 'trigger == "regularly" && state == "SUCCEEDED"', "-o", "json")
    return listed.splitlines()


def faults_of(demo: Demo, run_id: str) -> list[str]:
    """Check the run against its history and the exchange's book."""
    faults = []
    run = demo.run_of(run_id)
    records = [json.loads(line) for line in demo.hostd("runs", "history", run_id, "-o", "json").splitlines()]
    ended = [
        record["step"] for record in records if record["kind"] in ("ATTEMPT_SUCCEEDED", "STEP_ENDED", "WAIT_ENDED")
    ]
    if len(ended) != len(set(ended)):
        faults.append(f"a step has two completions: {ended}")
    if not any(record["kind"] == "ATTEMPT_LOST" for record in records):
        faults.append("the kill lost no attempt: it came at the wrong moment")
    if not any(record["kind"] == "ATTEMPT_FAILED" and record["step"] == "fetch" for record in records):
        faults.append("no attempt of fetch failed: the exchange was open at once")
    tries = [key for key, run in demo.exchange.book.requests if run == run_id]
    if len(tries) != 2 or len(set(tries)) != 1:
        faults.append(f"the order was sent {len(tries)} times under {len(set(tries))} keys, not twice under one")
    if run["state"] != "SUCCEEDED" or run["output"].get("order") is None:
        faults.append(f"the run is {run['state']} with output {run.get('output')}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
