"""W3C trace context through a real daemon that sends no spans: the same trace comes in, is logged, and goes out."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from effects import shows
from processes import DaemonProcess, wait_until

from hostd.client import connect_blocking

PARENT, STATE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=a"
TRACE = {"traceparent": PARENT, "tracestate": STATE}
OTHER = {"traceparent": "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"}

CALLER = """
workflow: caller
permissions: [http.request]
steps:
  wait: {uses: mock.sleep, with: {duration: 500ms}}
  call: {uses: http.request, needs: wait, with: {method: POST, url: "${{ input.url }}/call"}}
  script:
    uses: lua.script
    needs: wait
    with:
      input: "${{ input.url }}"
      script: |
        log.info("from lua")
        return http.request({url = input .. "/script"}).status
  say: {uses: log.write, needs: wait, with: {message: from a plugin}}
  tell: {uses: event.publish, needs: [call, script, say], with: {topic: told, data: "${{ input.url }}"}}
"""
HEARER = """
workflow: hearer
triggers:
  told: {uses: event.subscribe, with: {topics: [told, direct, posted]}, input: {url: "${{ event.data }}"}}
  hook: {uses: http.webhook, with: {path: hook}, input: {url: "${{ event.data }}"}}
steps:
  call: {uses: http.request, with: {url: "${{ input.url }}/heard"}}
"""


@pytest.fixture
def target() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A server that keeps the paths and headers it was asked with."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()
    thread.join()


def daemon_of(folder: Path, **config: Any) -> DaemonProcess:
    """Return a daemon that logs JSON, lines of attempts too, and may ask loopback."""
    daemon = DaemonProcess(folder)
    daemon.data.mkdir(mode=0o700)
    settings = {"log": {"format": "json", "attempts": "info"}, "egress": {"allow": ["127.0.0.0/8"]}, **config}
    (daemon.data / "hostd.yaml").write_text(json.dumps(settings))
    return daemon


def registered(daemon: DaemonProcess, *documents: str) -> None:
    """Register documents."""
    for number, text in enumerate(documents):
        file = daemon.folder / f"{number}.yaml"
        file.write_text(text)
        daemon.ok("workflow", "register", str(file))


def post(url: str, body: Any, headers: dict[str, str]) -> None:
    """Send JSON."""
    sent = Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers})
    urlopen(sent, timeout=60).close()


@shows("log.attempts")
@pytest.mark.parametrize("where", ["inline", "thread", "process"])
def test_a_trace_goes_through(tmp_path: Path, target: tuple[str, list[Any]], where: str) -> None:
    """By gRPC into a run, through a kill, out through http.request, a script and an event into the next run."""
    url, seen = target
    daemon = daemon_of(tmp_path, plugins={where: ["http", "log", "mock"]} if where != "inline" else {})
    daemon.start()
    try:
        registered(daemon, CALLER, HEARER)
        with connect_blocking(daemon.listen, token=(daemon.data / "token").read_text().strip()) as client:
            traced = client.with_options(metadata=TRACE)
            run_id = traced.start("caller", {"url": url}).run_id
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon.start()
        wait_until(lambda: any(path == "/heard" for path, _ in seen), "the second run")
        wait_until(lambda: daemon.json("runs", "show", run_id)["state"] == "SUCCEEDED", "the first run")
        shown = {path: {name: headers.get(name, "") for name in TRACE} for path, headers in seen}
        assert shown == {"/call": TRACE, "/script": TRACE, "/heard": TRACE}
        lines = [json.loads(line) for line in daemon.log.read_text().splitlines() if '"attempt_line"' in line]
        [wrote] = [line for line in lines if line.get("step") == "say"]
        assert (wrote["run_id"], wrote["plugin"], wrote["trace_id"]) == (run_id, "log", PARENT[3:35])
        assert "from a plugin" in wrote["line"]
        [said] = [line for line in lines if line.get("step") == "script"]
        assert (said["run_id"], said["attempt"], said["namespace"]) == (run_id, 1, "default")
        assert (said["workflow"], said["action"], said["plugin"]) == ("caller", "lua.script", "lua")
        assert (said["trace_id"], len(said["span_id"]), said["line"]) == (PARENT[3:35], 16, "from lua")
    finally:
        daemon.close()


def test_events_and_webhooks_bring_their_trace(tmp_path: Path, target: tuple[str, list[Any]]) -> None:
    """Of a client, of a POST to a topic, of a webhook, and of a CloudEvent that says its own; none is made up."""
    url, seen = target
    daemon = daemon_of(tmp_path)
    daemon.start()
    token = {}
    try:
        registered(daemon, HEARER)
        secret = (daemon.data / "token").read_text().strip()
        token = {"authorization": f"Bearer {secret}"}
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": f"{url}/own", **OTHER}
        enveloped = {"content-type": "application/cloudevents+json"}
        wait_until(lambda: daemon.json("trigger", "list")[0]["state"] == "ACTIVE", "the triggers")
        with connect_blocking(daemon.listen, token=secret) as client:
            client.with_options(metadata=TRACE).publish("direct", data=f"{url}/direct")
        post(f"http://{daemon.http}/events/default/posted", f"{url}/posted", {**TRACE, **token})
        post(f"http://{daemon.http}/hooks/default/hook", f"{url}/hook", TRACE)
        post(f"http://{daemon.http}/hooks/default/hook", event, {**TRACE, **enveloped})
        post(f"http://{daemon.http}/hooks/default/hook", f"{url}/none", {"traceparent": "00-nonsense"})
        wait_until(lambda: len(seen) == 5, "five runs")
    finally:
        daemon.close()
    shown = {path: {name: headers[name] for name in TRACE if name in headers} for path, headers in seen}
    assert shown == {
        "/direct/heard": TRACE,
        "/posted/heard": TRACE,
        "/hook/heard": TRACE,
        "/own/heard": OTHER,
        "/none/heard": {},
    }
