"""Contexts: small for actions, remembering for triggers."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.action_context import AttemptContexts, LastHeartbeats
from hostd.host.contexts import TriggerScope
from hostd.host.logs import ATTEMPT_BYTES_MAX, LINES_MAX
from hostd.host.routes import RouteTable
from hostd.plugin import ActionContext, EmitOutcome, Emitted, Event, TriggerContext, WebhookRequest, WebhookResponse
from hostd.plugin.testing.clock import settle

NOON_MS = 1_767_268_800_000  # 2026-01-01T12:00:00Z


class HandClock:
    """A daemon's clock that a test turns."""

    def __init__(self) -> None:
        self.ms = NOON_MS
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def wall_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.ms + seconds * 1000, future))
        await future

    async def turn(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)
        for due, future in list(self.sleepers):
            if due <= self.ms and not future.done():
                future.set_result(None)
        await settle()


async def read_secret(namespace: str, name: str) -> str:
    return f"{namespace}-{name}-value"


def attempt(**more: Any) -> Any:
    """Return what the runtime keeps of an attempt."""
    facts: dict[str, Any] = {
        "namespace": "default",
        "run_id": "0" * 26,
        "number": 2,
        "step": SimpleNamespace(id="fetch", timeout_ms=0),
        "plan": SimpleNamespace(workflow="price"),
        "idempotency_key": "thekey",
        "hidden": (),
        "context": None,
    }
    return SimpleNamespace(**facts | more)


@pytest.fixture
def contexts() -> AttemptContexts:
    return AttemptContexts(clock=HandClock(), read_secret=read_secret)


def test_an_attempt_sees_what_the_runtime_keeps(contexts: AttemptContexts) -> None:
    """Names, number and key come from the attempt; the deadline from its timeout."""
    step = SimpleNamespace(id="fetch", timeout_ms=1_500)
    context: ActionContext = contexts.action(attempt(step=step))
    assert (context.namespace, context.workflow, context.step, context.attempt) == ("default", "price", "fetch", 2)
    assert context.idempotency_key == "thekey"
    assert context.deadline == datetime(2026, 1, 1, 12, 0, 1, 500_000, tzinfo=UTC)
    assert contexts.action(attempt()).deadline is None


def test_logs_are_kept_in_order_and_bounded(contexts: AttemptContexts) -> None:
    """Lines carry time, level and fields; past the bound they are counted, not kept; an unused log costs nothing."""
    context = contexts.action(attempt())
    assert context.lines == ()
    context.log.info("fetched", message="field", size=3)
    context.log.error("odd", value=object())  # type: ignore[arg-type]
    assert context.lines[0] == '2026-01-01T12:00:00Z INFO fetched {"message":"field","size":3}'
    assert "object object" in context.lines[1]
    for _ in range(LINES_MAX + 10):
        context.log.debug("x" * 200)
    assert sum(map(len, context.lines)) <= ATTEMPT_BYTES_MAX
    assert context.log.dropped > 10
    context.log.debug("y" * 10**6)
    assert max(map(len, context.lines)) < 20_000


async def test_cancel_reaches_who_asks_and_who_waits(contexts: AttemptContexts) -> None:
    """The flag can be polled, and awaited before or after it is set."""
    context = contexts.action(attempt())
    assert not context.cancel.requested
    waiter = asyncio.get_running_loop().create_task(context.cancel.wait())
    await settle()
    context.request_cancel()
    await waiter
    await context.cancel.wait()
    assert context.cancel.requested


async def test_a_secret_that_was_read_is_remembered(contexts: AttemptContexts) -> None:
    """The runtime searches what comes back for every value an attempt was given."""
    facts = attempt(hidden=("other",))
    context = contexts.action(facts)
    assert await context.secrets.get("token") == "default-token-value"
    await context.secrets.get("token")
    assert facts.hidden == ("other", "default-token-value")


def test_progress_reaches_the_next_attempt() -> None:
    """What was reported last is there for the attempt after; the memory is bounded and JSON only."""
    contexts = AttemptContexts(clock=HandClock(), read_secret=read_secret, heartbeats=LastHeartbeats(most=2))
    first = contexts.action(attempt(number=1))
    assert first.progress is None
    first.heartbeat({"done": 1})
    first.heartbeat({"done": 2})
    assert contexts.action(attempt()).progress == {"done": 2}
    with pytest.raises(HostdError):
        first.heartbeat(object())  # type: ignore[arg-type]
    for run in "12":
        contexts.action(attempt(run_id=run)).heartbeat(1)
    assert contexts.action(attempt()).progress is None


def test_a_bug_leaves_its_traceback_in_the_attempts_log(contexts: AttemptContexts) -> None:
    """The failure is short; the log has the frames."""
    facts = attempt()
    facts.context = contexts.action(facts)
    try:
        {}["missing"]
    except KeyError as error:
        failure, retry_after_ms = contexts.failure(error, facts)
    assert (failure.reason, failure.retryable, retry_after_ms) == ("ACTION_RAISED", True, None)
    assert "test_contexts.py" in facts.context.lines[0]


class Journal:
    """Keeps what a trigger emits."""

    def __init__(self) -> None:
        self.batches: list[tuple[tuple[Event, ...], Any]] = []
        self.failing = False

    async def __call__(self, events: tuple[Event, ...], cursor: Any) -> list[Emitted]:
        if self.failing:
            raise RuntimeError("not durable")
        self.batches.append((events, cursor))
        return [Emitted(event.id, EmitOutcome.STARTED, ("run",)) for event in events]


def scope(**more: Any) -> tuple[TriggerScope, Journal, HandClock, RouteTable]:
    """Return a trigger's context with what is behind it."""
    journal, clock, routes = Journal(), HandClock(), RouteTable()
    context = TriggerScope(
        namespace="team",
        workflow="price",
        name="tick",
        component="cron.every",
        clock=clock,
        emit=journal,
        routes=routes,
        read_secret=read_secret,
        dice=random.Random(1),
        **more,
    )
    return context, journal, clock, routes


async def test_events_are_filled_in_and_cursors_are_text() -> None:
    """Id, source, type and time come from the trigger; a time as cursor is recorded as RFC 3339."""
    context, journal, _, _ = scope()
    typed: TriggerContext = context
    event = typed.event({"n": 1.0}, subject="s")
    assert event.to_json() == {
        "specversion": "1.0",
        "id": event.id,
        "source": "/team/price/tick",
        "type": "cron.every",
        "time": "2026-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"n": 1},
        "subject": "s",
    }
    assert len(event.id) == 32
    (emitted,) = await typed.emit(event, cursor=event.time + timedelta(milliseconds=250))
    assert emitted.outcome is EmitOutcome.STARTED
    assert journal.batches[0][1] == "2026-01-01T12:00:00.250000Z"
    assert context.cursor == "2026-01-01T12:00:00.250000Z"
    journal.failing = True
    with pytest.raises(RuntimeError):
        await typed.emit(event, cursor="later")
    assert context.cursor == "2026-01-01T12:00:00.250000Z"


async def test_slots_go_on_behind_the_durable_cursor() -> None:
    """A restart with a cursor fires no slot twice; a cursor that is no time starts with the next slot."""
    fired: list[datetime] = []

    async def run(context: TriggerScope) -> None:
        async for slot in context.clock.ticks(timedelta(seconds=10)):
            fired.append(slot)

    context, _, clock, _ = scope(cursor="2026-01-01T12:00:00Z")
    task = asyncio.get_running_loop().create_task(run(context))
    await settle()
    assert fired == []
    await clock.turn(10)
    assert [slot.second for slot in fired] == [10]
    task.cancel()
    other, _, turned, _ = scope(cursor=17)
    fired.clear()
    task = asyncio.get_running_loop().create_task(run(other))
    await settle()
    assert fired == []
    await turned.turn(10)
    task.cancel()
    assert [slot.second for slot in fired] == [10]


async def answer(request: WebhookRequest) -> WebhookResponse:
    return WebhookResponse(200)


def test_routes_are_one_owners_and_taken_back() -> None:
    """The same path and method twice is PATH_TAKEN; closing the trigger frees it; namespaces do not collide."""
    context, _, _, table = scope()
    route = context.http.route("/orders/new", ["POST"], answer, max_body_bytes=10)
    assert route.url_path == "/hooks/team/orders/new"
    entry = table.find("/hooks/team/orders/new", "POST")
    assert entry is not None
    assert (entry.max_body_bytes, entry.owner) == (10, "price/tick")
    assert table.methods("/hooks/team/orders/new") == ["POST"]
    assert table.find("/hooks/team/orders/new", "GET") is None
    with pytest.raises(HostdError, match="PATH_TAKEN.*price/tick"):
        context.http.route("orders/new", ["GET", "POST"], answer)
    assert table.find("/hooks/team/orders/new", "GET") is None
    table.add("other", "orders/new", ["POST"], answer, owner="x")
    context.close()
    context.close()
    assert table.find("/hooks/team/orders/new", "POST") is None
    later = table.add("team", "orders/new", ["POST"], answer, owner="y")
    route.close()
    assert table.find("/hooks/team/orders/new", "POST") is not None
    later.close()


def test_paths_with_parameters() -> None:
    """A parameter takes one part, decoded; what some request would fit twice is PATH_TAKEN, for that method only."""
    table = RouteTable()
    table.add("team", "orders/{id}/lines/{line}", ["POST"], answer, owner="a")
    held = table.add("team", "orders/{id}", ["POST", "GET"], answer, owner="b")
    entry = table.find("/hooks/team/orders/a%20b/lines/%2F", "POST")
    assert entry is not None
    assert entry.params("/hooks/team/orders/a%20b/lines/%2F") == {"id": "a b", "line": "/"}
    with pytest.raises(HostdError, match="ARGUMENT_INVALID"):
        entry.params("/hooks/team/orders/%ff/lines/1")
    for path in ("orders/new", "orders/{other}", "{what}/new", "{a}/{b}"):
        with pytest.raises(HostdError, match=r"PATH_TAKEN.*orders/\{id\}"):
            table.add("team", path, ["PUT", "POST"], answer, owner="c")
        assert table.find("/hooks/team/orders/new", "PUT") is None
    table.add("team", "orders/new", ["PUT"], answer, owner="d")
    assert table.methods("/hooks/team/orders/new") == ["GET", "POST", "PUT"]
    for nobodys in ("/hooks/team/orders/", "/hooks/team/orders", "/hooks/other/orders/1", "/hooks/team/orders/1/2/3/4"):
        assert (table.find(nobodys, "POST"), table.methods(nobodys)) == (None, [])
    held.close()
    assert table.find("/hooks/team/orders/1", "POST") is None
    table.add("team", "{a}/{b}", ["POST"], answer, owner="e")
    assert table.find("/hooks/team/orders/{id}", "POST") is not None


@pytest.mark.parametrize("path", ["{}", "{a}{b}", "{a}b", "{1}", "{a}/{a}", "{a b}", "{" + "a" * 33 + "}"])
def test_malformed_parameters_are_refused(path: str) -> None:
    """A parameter is a whole part, and its name stands once."""
    with pytest.raises(HostdError, match="OPTION_INVALID"):
        RouteTable().add("team", path, ["POST"], answer, owner="x")


@pytest.mark.parametrize("path", ["", "/", "a//b", "../a", "a/..", "a b", "a?b", "ä", "/".join("abcdefghi"), "a" * 129])
def test_malformed_paths_are_refused(path: str) -> None:
    """A path is one to eight plain parts."""
    with pytest.raises(HostdError, match="OPTION_INVALID"):
        RouteTable().add("team", path, ["POST"], answer, owner="x")
