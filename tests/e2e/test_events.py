"""Topics from the command line against a real daemon, through `kill -9`."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from processes import HOSTD, DaemonProcess

WORKFLOW = """
workflow: payments
triggers:
  paid:
    uses: event.subscribe
    with: {topics: ["orders.*"], types: [paid]}
    key: ${{ event.publishedid }}
    input: {total: "${{ event.data.total }}"}
steps:
  count: {uses: kv.add, with: {key: sum, amount: "${{ input.total }}"}}
  tell: {uses: event.publish, needs: count, with: {topic: sums, data: "${{ steps.count.output.value }}"}}
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon with an HTTP port."""
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    yield daemon
    daemon.close()


def lines(daemon: DaemonProcess, *arguments: str) -> list[Any]:
    """Return the list a command prints."""
    return [json.loads(line) for line in daemon.ok(*arguments, "-o", "json").splitlines()]


def test_events_reach_workflows_and_subscribers_through_a_kill(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A subscriber that waits is told across the daemon's death; runs come once; CloudEvents go in and out."""
    document = tmp_path / "w.yaml"
    document.write_text(WORKFLOW)
    daemon.ok("workflow", "register", str(document))
    command = [*HOSTD, "event", "subscribe", "sums", "--limit", "3", "--after", "0", "--cloudevent"]
    waiting = subprocess.Popen(command, env=daemon.env, stdout=subprocess.PIPE, text=True)
    try:
        first = lines(daemon, "event", "publish", "orders.new", "--type", "paid", "--data", '{"total": 5}', "--id", "a")
        assert first[0]["event_id"] == "a"
        assert waiting.stdout is not None
        assert json.loads(waiting.stdout.readline())["data"] == 5
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon.start()
        again = lines(daemon, "event", "publish", "orders.new", "--type", "paid", "--data", '{"total": 5}', "--id", "a")
        assert again == first
        batch = tmp_path / "batch.json"
        envelope = {"specversion": "1.0", "source": "/till", "type": "paid", "data": {"total": 7}}
        batch.write_text(json.dumps([envelope | {"id": "b"}, envelope | {"id": "c"}]))
        assert len(lines(daemon, "event", "publish", "orders.eu", "--cloudevent", str(batch))) == 2
        told = [json.loads(line) for line in waiting.communicate(timeout=120)[0].splitlines()]
        assert (waiting.returncode, sorted(one["data"] for one in told)) == (0, [12, 19])
        assert told[0]["source"] == "/hostd/default/payments"
    finally:
        waiting.kill()
    runs = lines(daemon, "runs", "list", "--workflow", "payments")
    assert sorted(run["key"] for run in runs) == ["a", "b", "c"]
    kinds = [(one["topic"], one["type"]) for one in lines(daemon, "event", "types")]
    assert kinds == [("orders.eu", "paid"), ("orders.new", "paid"), ("sums", "sums")]
    assert "orders.new  paid" in daemon.ok("event", "subscribe", "*", "--after", "0", "--limit", "1")


def test_events_are_posted_with_the_token(daemon: DaemonProcess) -> None:
    """`POST /events/<namespace>/<topic>` takes a CloudEvent from who has the token; a subscriber sees it."""
    token = (daemon.data / "token").read_text().strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "ce-specversion": "1.0"}
    headers |= {"ce-id": "h1", "ce-source": "/till", "ce-type": "paid"}
    request = Request(f"http://{daemon.http}/events/default/orders.new", b'{"total": 1}', headers, method="POST")
    with urlopen(request, timeout=60) as answer:
        assert json.load(answer)["events"][0]["event_id"] == "h1"
    [seen] = lines(daemon, "event", "subscribe", "orders.*", "--after", "0", "--limit", "1")
    assert (seen["topic"], seen["event"]["type"], seen["event"]["data"]) == ("orders.new", "paid", {"total": 1})


def test_a_post_is_repeated_with_its_key(daemon: DaemonProcess) -> None:
    """Sent again with one `Idempotency-Key`, behind a kill too, it is one event; with other data it is refused."""
    token = (daemon.data / "token").read_text().strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "order-7"}

    def post(data: bytes) -> Any:
        request = Request(f"http://{daemon.http}/events/default/orders.new", data, headers, method="POST")
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["events"]

    first = post(b'{"total": 1}')
    again = post(b'{"total": 1}')
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    behind = post(b'{"total": 1}')
    with pytest.raises(HTTPError) as why:
        post(b'{"total": 2}')

    assert first == again == behind
    with why.value as refused:
        assert (refused.code, json.load(refused)["reason"]) == (409, "REQUEST_ID_CONFLICT")
    assert len(lines(daemon, "event", "subscribe", "orders.*", "--after", "0", "--limit", "1")) == 1


def test_what_is_wrong_is_said(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A topic, an expression, a file or an option that is none exits with 2 and a sentence."""
    for arguments, reason in (
        (("publish", "no topic"), "TOPIC_INVALID"),
        (("publish", "t", "--data", "{"), "PAYLOAD_INVALID"),
        (("publish", "t", "--cloudevent", str(tmp_path / "none")), "ARGUMENT_INVALID"),
        (("publish", "t", "--cloudevent", "-", "--data", "1"), "ARGUMENT_INVALID"),
        (("subscribe", "t", "--filter", "event.type =="), "EXPRESSION_INVALID"),
        (("types", "a b"), "TOPIC_INVALID"),
    ):
        done = daemon.run("event", *arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith(f"error: {reason}: ")
