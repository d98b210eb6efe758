"""`kill -9` of the daemon while webhooks come in: every 202 became exactly one run."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import msgspec
import pytest
from lab import Lab
from processes import DaemonProcess

from hostd.journal.codec import decode_records
from hostd.model.ids import text_id
from hostd.model.states import RunState

WORKFLOW = """
workflow: orders
triggers:
  door:
    uses: http.webhook
    with: {path: "orders/{shop}"}
    input: {n: "${{ event.data.n }}"}
steps:
  keep: {uses: mock.noop}
"""
SENDERS = 40


class Load:
    """Sends webhooks: those with even numbers again and again under one id until they are taken, the others once."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._numbers = iter(range(count))
        self.taken: dict[int, str] = {}
        self.repeated = 0

    async def run(self) -> None:
        """Send everything."""
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._sender(session))

    async def _sender(self, session: aiohttp.ClientSession) -> None:
        for number in self._numbers:
            while not await self._send(session, number) and number % 2 == 0:
                self.repeated += 1
                await asyncio.sleep(0.02)

    async def _send(self, session: aiohttp.ClientSession, number: int) -> bool:
        headers = {"webhook-id": f"id-{number}"} if number % 2 == 0 else {}
        try:
            async with session.post(self._url, json={"n": number}, headers=headers) as answer:
                if answer.status == 202:
                    self.taken[number] = (await answer.json())["run_id"]
                return answer.status == 202
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


async def bombard(daemon: DaemonProcess, count: int, kills: int) -> Load:
    """Send so many webhooks while the daemon is killed so many times."""
    load = Load(f"http://{daemon.http}/hooks/default/orders/7", count)
    sending = asyncio.ensure_future(load.run())
    for kill in range(1, kills + 1):
        while len(load.taken) < count * kill // (2 * (kills + 1)) and not sending.done():
            await asyncio.sleep(0.005)
        daemon.signal(signal.SIGKILL)
        await asyncio.to_thread(daemon.wait)
        await asyncio.to_thread(daemon.start)
    await sending
    return load


async def judge(data: Path, load: Load, count: int) -> None:
    """Let every run end; then each number that was taken has one run, the one that was answered, and it succeeded."""
    lab = await Lab(data).open()
    try:
        await lab.until(lambda: not lab.core.journal.live_runs(limit=1))
        runs: Counter[int] = Counter()
        ids: dict[str, int] = {}
        for row in lab.runs():
            started = decode_records(lab.core.journal.history(row.run, max_bytes=1)[0].body)[0]
            number = msgspec.json.decode(started.input)["n"]  # type: ignore[union-attr, arg-type]
            runs[number] += 1
            ids[text_id(row.run_id)] = number
            assert row.state == RunState.SUCCEEDED
        assert {number for number, found in runs.items() if found > 1} == set()
        assert {number: ids.get(run_id) for number, run_id in load.taken.items()} == {n: n for n in load.taken}
        assert set(range(0, count, 2)) <= set(load.taken)
        assert list(lab.core.journal.check()) == []
    finally:
        await lab.close()


def kill_during(tmp_path: Path, count: int, kills: int) -> None:
    """Bombard a daemon and judge what it kept."""
    daemon = DaemonProcess(tmp_path)
    try:
        daemon.start()
        file = tmp_path / "orders.yaml"
        file.write_text(WORKFLOW)
        daemon.ok("workflow", "register", str(file))
        load = asyncio.run(bombard(daemon, count, kills))
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        asyncio.run(judge(daemon.data, load, count))
        assert load.repeated > 0  # the kills hit something
    finally:
        daemon.close()


@pytest.mark.timeout(400)
def test_a_thousand_webhooks_and_two_kills(tmp_path: Path) -> None:
    """Taken means kept; sent again under the same id means the same run."""
    kill_during(tmp_path, 1_000, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_thousand_webhooks_and_ten_kills(tmp_path: Path) -> None:
    """The same with ten thousand, the daemon killed ten times."""
    kill_during(tmp_path, 10_000, 10)
