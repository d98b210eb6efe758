"""What the host does for plugins, on a real core: values by key, blobs, topics, through restarts and full lanes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from clocks import HandClock
from lab import Lab

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.journal.port import Retention
from hostd.plugin import ActionError, Event, Published, service_rules
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.services import blob_shelf, kv

NS = "default"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def event(event_id: str, data: Any = None, **fields: Any) -> Event:
    return Event(**({"id": event_id, "source": "/test", "type": "test.happened", "time": AT, "data": data} | fields))


async def put(lab: Lab, key: str, value: Any, **options: Any) -> int:
    chosen = {"ttl": None, "expected_version": None} | options
    return (await lab.core.key_values.put(NS, key, value, **chosen)).version


async def value_of(lab: Lab, key: str) -> Any:
    entry = await lab.core.key_values.get(NS, key)
    return None if entry is None else (entry.value, entry.version)


async def test_a_value_is_there_after_a_restart_with_its_version(lab: Lab) -> None:
    """What `put` returned is kept, versions go on counting, and another namespace sees nothing of it."""
    assert [await put(lab, "a", {"n": 1}), await put(lab, "a", {"n": 2})] == [1, 2]
    await lab.restart()
    assert await value_of(lab, "a") == ({"n": 2}, 2)
    assert await put(lab, "a", 3, expected_version=2) == 3
    assert await lab.core.key_values.get("other", "a") is None


async def test_one_of_many_is_first(lab: Lab) -> None:
    """Of fifty changes made upon the same version at once exactly one is taken; the others are told the version."""
    await put(lab, "a", 0)
    results = await asyncio.gather(*(put(lab, "a", n, expected_version=1) for n in range(50)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, HostdError)]
    assert [result for result in results if not isinstance(result, HostdError)] == [2]
    assert {(error.reason, error.details["version"]) for error in refused} == {("KV_CONFLICT", "2")}


async def test_nothing_that_is_added_is_lost(lab: Lab) -> None:
    """A thousand additions at once make a thousand, with as many versions, cold or hot."""
    await asyncio.gather(*(lab.core.key_values.add(NS, "count", 1, ttl=None) for _ in range(1_000)))
    assert await value_of(lab, "count") == (1_000, 1_000)
    await put(lab, "text", "x")
    with pytest.raises(HostdError, match="KV_NOT_A_NUMBER"):
        await lab.core.key_values.add(NS, "text", 1, ttl=None)
    with pytest.raises(HostdError, match="NUMBER_OUT_OF_RANGE"):
        await lab.core.key_values.add(NS, "count", 2**63 - 1, ttl=None)


async def test_a_value_expires_by_the_clock(tmp_path: Path) -> None:
    """After its time a value is gone for readers, lists and versions alike, and a sum keeps the time it has."""
    clock = HandClock()
    lab = await Lab(tmp_path / "data", clock=clock).open()
    try:
        await put(lab, "a", 1, ttl=timedelta(seconds=10))
        await lab.core.key_values.add(NS, "a", 1, ttl=None)
        assert await value_of(lab, "a") == (2, 2)
        await clock.turn(10)
        assert await value_of(lab, "a") is None
        assert await lab.core.key_values.list(NS, "", after="", limit=10) == []
        assert await put(lab, "a", 9, expected_version=0) == 3
    finally:
        await lab.close()


async def test_lists_go_by_key_and_pages_meet(lab: Lab) -> None:
    """Every key under a prefix comes once, in the order of its bytes, whatever the size of a page."""
    names = sorted((f"p/{n}" for n in range(150)), key=str.encode)
    await asyncio.gather(*(put(lab, name, 1) for name in [*names, "q/1", "o"]))
    found, after = [], ""
    while page := await lab.core.key_values.list(NS, "p/", after=after, limit=70):
        found += [entry.key for entry in page]
        after = page[-1].key
    assert found == names


async def test_a_list_is_bounded_in_bytes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is whole or refused, so that nobody takes a part for the end."""
    monkeypatch.setattr(service_rules, "KV_LIST_BYTES_MAX", 20_000)
    await asyncio.gather(*(put(lab, f"k{number:03}", "x" * 198) for number in range(110)))
    assert len(await lab.core.key_values.list(NS, "k", after="", limit=100)) == 100
    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        await lab.core.key_values.list(NS, "k", after="", limit=101)


async def test_cells_that_went_cold_are_read_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two hot cells a hundred keys changed at random keep every change."""
    monkeypatch.setattr(kv, "HOT_CELLS_MAX", 2)
    await asyncio.gather(*(lab.core.key_values.add(NS, f"k{n % 20}", 1, ttl=None) for n in range(400)))
    assert [await value_of(lab, f"k{n}") for n in range(20)] == [(20, 20)] * 20
    assert len(lab.core.key_values._cells) <= 3


async def test_a_deleted_key_is_gone(lab: Lab) -> None:
    """`delete` says whether there was one, refuses another version, and what expects none may begin the key anew."""
    await put(lab, "a", 1)
    with pytest.raises(HostdError, match="KV_CONFLICT"):
        await lab.core.key_values.delete(NS, "a", expected_version=7)
    assert await lab.core.key_values.delete(NS, "a", expected_version=1)
    assert not await lab.core.key_values.delete(NS, "a", expected_version=None)
    assert await put(lab, "a", 1, expected_version=0) == 2


@pytest.mark.parametrize("hot", [True, False])
async def test_a_version_is_never_met_again_on_another_value(tmp_path: Path, *, hot: bool) -> None:
    """Deleted, expired, pruned, before a restart or after: who decided upon a value that went is refused."""
    clock = HandClock()
    lab = await Lab(tmp_path / "data", clock=clock).open()

    async def begun_anew(key: str, read: int) -> int:
        if not hot:
            await lab.restart()
        assert await put(lab, key, "other", expected_version=0) > read
        for stale in (
            put(lab, key, "mine", expected_version=read),
            lab.core.key_values.delete(NS, key, expected_version=read),
        ):
            with pytest.raises(HostdError, match="KV_CONFLICT"):
                await stale
        return (await lab.core.key_values.get(NS, key)).version  # type: ignore[union-attr]

    async def prune() -> None:
        now_ms = lab.core.clock.wall_ms()
        while await lab.core.readers.call(lambda: lab.core.journal.prune(now_ms=now_ms, retention=Retention())):
            pass

    try:
        for n in range(3):
            read = await put(lab, "deleted", n)
        assert await lab.core.key_values.delete(NS, "deleted", expected_version=read)
        newest = await begun_anew("deleted", read)
        for pruned in (False, True):
            read = [await put(lab, "expired", n, ttl=timedelta(seconds=10)) for n in range(3)][-1]
            assert read > newest or pruned
            await clock.turn(10)
            if pruned:
                await prune()
            newest = await begun_anew("expired", read)
            assert await lab.core.key_values.delete(NS, "expired", expected_version=newest)
        assert await put(lab, "another", 1, expected_version=0) > newest
    finally:
        await lab.close()


async def test_a_key_written_and_deleted_in_one_turn_does_not_repeat_its_versions(lab: Lab) -> None:
    """However changes of a key are gathered, each value has a version of its own."""

    async def around() -> int:
        version = await put(lab, "a", 1)
        await lab.core.key_values.delete(NS, "a", expected_version=None)
        return version

    versions = await asyncio.gather(*(around() for _ in range(200)))
    await lab.restart()
    assert await put(lab, "a", 1) > max(versions)
    assert len(set(versions)) == 200


async def test_a_change_that_was_not_written_is_not_decided_upon(tmp_path: Path) -> None:
    """When the append fails the change is refused and the next one is decided upon what is durable."""
    lab = await Lab(None).open()
    try:
        await put(lab, "a", 1)
        real = lab.core.journal.append
        lab.core.journal.append = _refusing  # type: ignore[method-assign]
        with pytest.raises(HostdError):
            await put(lab, "a", 2)
        lab.core.journal.append = real  # type: ignore[method-assign]
        await lab.until(lambda: lab.core.loop.unwritable is None)
        assert await value_of(lab, "a") == (1, 1)
        assert await put(lab, "a", 3, expected_version=1) == 2
    finally:
        await lab.close()


def _refusing(*_: Any, **__: Any) -> None:
    raise OSError("the disk is gone")


# -- topics


async def read(lab: Lab, *names: str, after: int | None = 0, limit: int = 1_000, wait_ms: int = 0) -> list[Published]:
    return (await lab.core.topics.read(NS, names, after=after, limit=limit, wait_ms=wait_ms))[0]


async def test_events_are_read_in_order_by_topic_and_after_a_restart(lab: Lab) -> None:
    """Positions rise; a reader sees its topics only, from where it was, old and new."""
    first = await lab.core.topics.publish(NS, [("orders.new", event("1", {"n": 1})), ("bills", event("2"))])
    await lab.restart()
    second = await lab.core.topics.publish(NS, [("orders.paid", event("3", subject="s", extensions={"x": 1}))])
    assert sorted(first + second) == first + second
    seen = await read(lab, "orders.*")
    assert [(one.position, one.topic, one.event.id) for one in seen] == [
        (first[0], "orders.new", "1"),
        (second[0], "orders.paid", "3"),
    ]
    assert seen[1].event == event("3", subject="s", extensions={"x": 1})
    assert [one.event.id for one in await read(lab, "*", after=first[0])] == ["2", "3"]
    assert (await read(lab, "*", limit=1))[0].event.data == {"n": 1}


async def test_a_repeated_event_is_answered_with_its_first_position(lab: Lab) -> None:
    """The same id of the same source is written once: in one batch, at once, later, and after a restart."""
    [place, again] = await lab.core.topics.publish(NS, [("t", event("1")), ("t", event("1"))])
    assert again == place
    await lab.core.topics.publish(NS, [("t", event(f"other {n}")) for n in range(300)])
    one = [("t", event("1"))]
    places = await asyncio.gather(*(lab.core.topics.publish(NS, one) for _ in range(20)))
    await lab.restart()
    assert {*map(tuple, places), tuple(await lab.core.topics.publish(NS, one))} == {(place,)}
    other = await lab.core.topics.publish(NS, [("t", event("1", source="/else")), ("u", event("1"))])
    assert len({place, *other}) == 3
    assert len(await read(lab, "*")) == 303


async def test_all_or_none_of_a_batch_is_published(lab: Lab) -> None:
    """One event that cannot be used keeps the whole batch out."""
    for bad, reason in (
        (("t t", event("2")), "TOPIC_INVALID"),
        (("t", event("2", extensions={"Not": 1})), "EVENT_INVALID"),
        (("t", event("2", source="")), "EVENT_INVALID"),
        (("t", event("2", "x" * 1_400_000)), "PAYLOAD_TOO_LARGE"),
    ):
        with pytest.raises(HostdError, match=reason):
            await lab.core.topics.publish(NS, [("t", event("1")), bad])
    assert await read(lab, "*") == []


async def test_a_reader_is_woken_and_a_slow_one_only_lags(lab: Lab) -> None:
    """Who waits is woken by what it reads and by nothing else; who comes late finds all of it."""
    waiting = spawn(read(lab, "a.*", after=None, wait_ms=60_000), name="reader")
    await lab.until(lambda: lab.core.topics.news._bells)
    await asyncio.sleep(0)
    await lab.core.topics.publish(NS, [("b", event("1"))])
    assert not waiting.done()
    for n in range(200):
        await lab.core.topics.publish(NS, [("a.x", event(f"n{n}"))])
    assert (await waiting)[0].event.id == "n0"
    assert len(await read(lab, "a.*")) == 200


async def test_a_page_holds_about_a_mebibyte(lab: Lab) -> None:
    """However many are asked for, large events come a few at a time, behind small ones too."""
    for one in [event(f"{n}") for n in range(20)] + [event(f"{n}", "x" * 500_000) for n in range(20, 32)]:
        await lab.core.topics.publish(NS, [("t", one)])
    pages = [await read(lab, "t", limit=1_000)]
    while pages[-1]:
        pages.append(await read(lab, "t", after=pages[-1][-1].position, limit=1_000))
    assert [len(page) for page in pages] == [23, 3, 3, 3, 0]
    assert [found.event.id for page in pages for found in page] == [f"{n}" for n in range(32)]


async def test_waiting_readers_are_told_that_the_daemon_stops(lab: Lab) -> None:
    """Closing ends every wait with DRAINING, so that nobody hangs."""
    waiting = spawn(read(lab, "t", wait_ms=60_000), name="reader")
    await lab.until(lambda: lab.core.topics.news._bells)
    await lab.restart()
    with pytest.raises(HostdError, match="DRAINING"):
        await waiting


async def test_types_are_listed_by_topic_and_kept(lab: Lab) -> None:
    """Each topic knows which types it saw, in pages, after a restart too."""
    await lab.core.topics.publish(NS, [("b", event("1")), ("a", event("2", type="z")), ("a", event("3", type="y"))])
    await lab.core.topics.publish(NS, [("a", event("4", type="y"))])
    await lab.restart()
    await lab.core.topics.publish(NS, [("a", event("5", type="y"))])
    now_ms = lab.core.clock.wall_ms()
    seen = lab.core.topics.types.seen
    everything = await seen(NS, "", after=("", ""), limit=10, now_ms=now_ms)
    assert [(one.topic, one.type) for one in everything] == [("a", "y"), ("a", "z"), ("b", "test.happened")]
    assert await seen(NS, "a", after=("a", "y"), limit=10, now_ms=now_ms) == everything[1:2]
    assert await lab.core.key_values.list(NS, "", after="", limit=10) == []


# -- what an attempt is given


async def attempt_of(lab: Lab) -> Any:
    """Return the context of an attempt of a run that waits."""
    await lab.register("workflow: w\nsteps: {a: {uses: flow.wait, with: {duration: 1h}}}\n")
    started = await lab.start("w")
    plan = (await lab.core.workflows.plans.resolve(NS, "w")).plan
    step = plan.steps[0]
    attempt = Attempt(started.key, NS, started.run_id, started.run_id, plan, step, step.uses, 1, 0, False, "")
    return lab.core.contexts.action(attempt)


async def test_blobs_stay_with_their_run(lab: Lab) -> None:
    """What a run keeps is there after a restart, under the digest of its bytes, for the whole namespace."""
    ctx = await attempt_of(lab)
    whole = bytes(range(256)) * 2_000

    async def stream() -> AsyncIterator[bytes]:
        for place in range(0, len(whole), 1_000):
            yield whole[place : place + 1_000]

    ref = await ctx.blobs.put(stream(), content_type="image/png")
    assert ref == await ctx.blobs.put(whole, content_type="image/png")
    assert ref.digest == hashlib.blake2b(whole, digest_size=32).hexdigest()
    await lab.restart()
    ctx = await attempt_of(lab)
    assert await ctx.blobs.get(ref) == whole
    stored = lab.core.journal.blob(NS, bytes.fromhex(ref.digest))
    assert stored is not None and stored.content_type == "image/png"
    for missing in ("0" * 64, "no digest"):
        with pytest.raises(HostdError, match="BLOB_MISSING"):
            await ctx.blobs.get(missing)


async def test_blobs_are_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One past 16 MiB is refused while it streams, one past what a run may keep when it is written."""
    ctx = await attempt_of(lab)
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1 << 20
            yield bytes(1 << 20)

    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        await ctx.blobs.put(endless())
    assert taken == 17 << 20
    monkeypatch.setattr(blob_shelf, "RUN_BYTES_MAX", 1_000)
    await ctx.blobs.put(b"a" * 600)
    with pytest.raises(HostdError, match="RUN_BLOBS_FULL"):
        await ctx.blobs.put(b"b" * 600)
    await ctx.blobs.put(b"a" * 600)


async def test_requests_go_through_the_guard_of_http_request(lab: Lab) -> None:
    """`ctx.http` is the loaded action: a private address is refused as the operator says."""
    ctx = await attempt_of(lab)
    with pytest.raises(ActionError) as caught:
        await ctx.http.request("GET", "http://127.0.0.1:9/")
    assert caught.value.code == "ADDRESS_DENIED"
    with pytest.raises(HostdError, match="OPTION_INVALID"):
        await ctx.http.request("GET", "file:///etc/passwd")


async def test_any_status_is_an_answer_and_bytes_stay_bytes(make_lab: Any) -> None:
    """Method, headers, body and answer arrive as they are; each request of an attempt has a key of its own."""
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers, await request.read()))
        return web.Response(status=503, body=b"\x00\xff", headers={"x-told": "yes"})

    lab = await make_lab(egress={"private": True})
    app = web.Application()
    app.router.add_route("*", "/", answer)
    async with TestServer(app) as server:
        ctx = await attempt_of(lab)
        for _ in range(2):
            told = await ctx.http.request("post", str(server.make_url("/")), headers={"x-mine": "1"}, body=b"\xfe\x00")
            assert (told.status, told.body, told.headers["x-told"]) == (503, b"\x00\xff", "yes")
    assert [(method, headers["x-mine"], body) for method, headers, body in seen] == [("POST", "1", b"\xfe\x00")] * 2
    keys = [headers["idempotency-key"] for _, headers, _ in seen]
    assert keys == [f"{ctx.idempotency_key}-1", f"{ctx.idempotency_key}-2"]


async def test_each_sees_its_own_namespace(lab: Lab) -> None:
    """Keys, topics and blobs of an attempt are those of its run's namespace."""
    ctx = await attempt_of(lab)
    await ctx.kv.put("a", 1)
    [position] = await ctx.events.publish("t", event("1"))
    assert (await lab.core.key_values.get(NS, "a")) == await ctx.kv.get("a")
    assert await lab.core.key_values.get("other", "a") is None
    assert (await lab.core.topics.read("other", ["*"], after=0, limit=9, wait_ms=0))[0] == []
    async with aclosing(ctx.events.subscribe(["t"], after=0)) as stream:
        assert (await anext(stream)).position == position


async def test_no_secret_gets_into_keys_events_or_blobs(lab: Lab) -> None:
    """What an attempt was given of secrets is taken out of all that it keeps or tells, before it is written."""
    ctx = await attempt_of(lab)
    ctx._attempt.hidden = ("hunter2-secret",)
    await ctx.kv.put("a", {"header": "Bearer hunter2-secret"})
    await ctx.events.publish("t", event("1", ["hunter2-secret"]))
    ref = await ctx.blobs.put(b"password=hunter2-secret\n")
    raw = b"\xff\x00hunter"
    assert await ctx.blobs.get(await ctx.blobs.put(raw)) == raw
    assert await value_of(lab, "a") == ({"header": "Bearer ***"}, 1)
    assert (await read(lab, "t"))[0].event.data == ["***"]
    assert await ctx.blobs.get(ref) == b"password=***\n"


async def test_events_past_retention_are_gone_and_readers_go_on(lab: Lab) -> None:
    """A reader that is behind what is kept goes on with the oldest that is there."""
    for n in range(5):
        await lab.core.topics.publish(NS, [("t", event(f"{n}"))])
    now_ms = lab.core.clock.wall_ms()
    while await lab.core.readers.call(
        lambda: lab.core.journal.prune(now_ms=now_ms + 8 * 86_400_000, retention=Retention())
    ):
        pass
    [position] = await lab.core.topics.publish(NS, [("t", event("new"))])
    assert [(one.position, one.event.id) for one in await read(lab, "t", after=1)] == [(position, "new")]
    assert (await lab.core.topics.publish(NS, [("t", event("new"))])) == [position]
