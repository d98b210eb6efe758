"""The sql actions against a real PostgreSQL: types, limits, transactions, conflicts, and what breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from postgres_server import postgres_server

from hostd.plugin import Action, ActionError
from hostd.plugin.component import options_class
from hostd.plugin.testing import FakeActionContext, FakeProvisionContext
from hostd_builtin.sql.actions import Execute, Query, Transaction
from hostd_builtin.sql.options import SqlSettings

TYPES = """
SELECT 9007199254740993::int8 AS big, 1.10::numeric AS dec, 'NaN'::float8 AS nan, 0.5::float8 AS half, true AS yes,
  NULL AS nothing, '\\x00ff'::bytea AS bytes, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id,
  '2026-03-01T12:00:00.5+01'::timestamptz AS at, '2026-03-01 12:00'::timestamp AS local, '2026-03-01'::date AS day,
  '90 seconds'::interval AS span, ARRAY[1, NULL, 3] AS list, '{"a": [1, 2.5]}'::jsonb AS doc
"""


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """A server for all tests of the file."""
    with postgres_server() as found:
        yield found


class Sql:
    """The three actions, provisioned, on one connection."""

    def __init__(self, dsn: str, **connection: Any) -> None:
        settings = SqlSettings.model_validate({"connections": {"db": {"postgres": dsn, **connection}}})
        self._actions: dict[str, Action[Any]] = {}
        for action in (Query, Execute, Transaction):
            self._actions[action.id] = instance = action()
            instance.settings = settings
        self.ctx = FakeActionContext()

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Sql]:
        """Provision, and close."""
        for action in self._actions.values():
            await action.provision(FakeProvisionContext(component=action.id))
        try:
            yield self
        finally:
            for action in self._actions.values():
                await action.close()

    async def close(self, action: str) -> None:
        """Close one of the actions."""
        await self._actions[f"sql.{action}"].close()

    async def do(self, action: str, statement: str = "", values: Any = None, **options: Any) -> Any:
        """Run one attempt."""
        instance = self._actions[f"sql.{action}"]
        given = {"connection": "db", **options}
        if statement:
            given |= {"statement": statement}
        if values is not None:
            given["parameters"] = values
        return await instance.run(self.ctx, options_class(type(instance), Action).model_validate(given))

    async def fails(self, *args: Any, **options: Any) -> ActionError:
        """Run one attempt that must fail."""
        with pytest.raises(ActionError) as caught:
            await self.do(*args, **options)
        return caught.value


def own_database(dsn: str, name: str) -> str:
    """Make a database that only the test itself connects to; return its connection string."""
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return dsn.replace("dbname=postgres", f"dbname={name}")


async def test_types_become_json(dsn: str) -> None:
    """Nothing is lost: decimals are text, times RFC 3339, bytes base64, what JSON has no number for is text."""
    async with Sql(dsn).ready() as sql:
        found = await sql.do("query", TYPES, mode="single")
    row = found["row"]
    at = row.pop("at")
    assert row == {
        "big": 9007199254740993, "dec": "1.10", "nan": "nan", "half": 0.5, "yes": True, "nothing": None,
        "bytes": "AP8=",
        "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "local": "2026-03-01T12:00:00", "day": "2026-03-01",
        "span": "90s",
        "list": [1, None, 3], "doc": {"a": [1, 2.5]},
    }  # fmt: skip
    assert (at.startswith("2026-03-01T") and at[-1:] == "Z") or at[-6] in "+-"


async def test_values_go_in_as_they_are(dsn: str) -> None:
    """A parameter is never part of the statement, whatever it holds; maps and lists go in as jsonb and arrays."""
    values = {"text": "'; DROP TABLE x; --", "doc": {"a": 1}, "list": [1, 2]}
    async with Sql(dsn).ready() as sql:
        found = await sql.do(
            "query", "SELECT %(text)s AS text, %(doc)s AS doc, %(list)s::int[] AS list, %(hostd_key)s AS key", values
        )
    assert found["rows"] == [{**values, "key": "testkey"}]


async def test_a_query_changes_nothing(dsn: str) -> None:
    """sql.query refuses a change, and several statements in one, which could end its transaction."""
    async with Sql(dsn).ready() as sql:
        assert (await sql.fails("query", "CREATE TABLE no (a int)")).code == "25006"
        assert (await sql.fails("query", "SELECT 1; COMMIT; CREATE TABLE no (a int)")).code == "42601"
        assert (await sql.fails("execute", "SELECT 1; COMMIT; CREATE TABLE no (a int)")).code == "42601"
        assert (await sql.do("query", "SELECT to_regclass('no') AS no"))["rows"] == [{"no": None}]


async def test_a_transaction_is_whole_or_nothing(dsn: str) -> None:
    """A failing statement, and one that changes another number of rows, take back those before."""
    async with Sql(dsn).ready() as sql:
        await sql.do("execute", "CREATE TABLE stock (id text PRIMARY KEY, n int CHECK (n >= 0))")
        await sql.do("execute", "INSERT INTO stock VALUES ('a', 1), ('b', 0)")
        take = {"statement": "UPDATE stock SET n = n - 1 WHERE id = %(id)s", "expect_rows": 1}
        both = [{**take, "values": {"id": "first"}}, {**take, "values": {"id": "second"}}]
        error = await sql.fails("transaction", statements=both, values={"first": "a", "second": "b"})
        assert (error.code, error.retryable) == ("23514", False)
        error = await sql.fails("transaction", statements=both, values={"first": "a", "second": "nobody"})
        assert error.code == "ROWS_UNEXPECTED"
        assert (await sql.do("query", "SELECT n FROM stock WHERE id = 'a'"))["rows"] == [{"n": 1}]
        done = await sql.do("transaction", statements=both[:1], values={"first": "a"})
        assert done["results"][0]["rows_changed"] == 1


async def test_the_key_makes_a_second_try_harmless(dsn: str) -> None:
    """The idempotency key of the step is a parameter, so the second attempt's insert does nothing."""
    insert = "INSERT INTO paid VALUES (%(hostd_key)s, %(amount)s) ON CONFLICT DO NOTHING"
    async with Sql(dsn).ready() as sql:
        await sql.do("execute", "CREATE TABLE paid (key text PRIMARY KEY, amount int)")
        assert (await sql.do("execute", insert, {"amount": 5}))["rows_changed"] == 1
        assert (await sql.do("execute", insert, {"amount": 5}))["rows_changed"] == 0


async def test_limits_hold(dsn: str) -> None:
    """An endless result is cut or refused without being held in memory, and the connection goes on."""
    endless = "SELECT generate_series(1, 1000000000) AS n, repeat('x', 1000) AS text"
    async with Sql(dsn, pool_size=1).ready() as sql:
        found = await sql.do("query", endless, max_rows=3, on_limit="truncate")
        assert [row["n"] for row in found["rows"]] == [1, 2, 3] and found["truncated"]
        assert (await sql.fails("query", endless, max_rows=100_000, max_bytes=10_000)).code == "TOO_LARGE"
        assert (await sql.do("query", "SELECT 1 AS one"))["rows"] == [{"one": 1}]
        assert (await sql.do("query", "SELECT 1 AS one WHERE false"))["rows"] == []


async def test_slow_statements_are_stopped(dsn: str) -> None:
    """A timeout stops the statement at the server too, which the next order sees; a cancel as well."""
    running = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
    async with Sql(dsn, pool_size=2).ready() as sql:
        error = await sql.fails("query", "SELECT pg_sleep(600)", timeout="300ms")
        assert (error.code, error.retryable) == ("TIMEOUT", True)
        asking = asyncio.create_task(sql.do("query", "SELECT pg_sleep(600) AS cancel"))
        while (await sql.do("query", running))["rows"] != [{"n": 1}]:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        while (await sql.do("query", running))["rows"] != [{"n": 0}]:
            await asyncio.sleep(0.01)


async def test_serialization_conflicts_are_retryable(dsn: str) -> None:
    """Of two serializable transactions that cannot be in a row, one fails with 40001, which may be tried again."""
    both = [
        {"statement": "SELECT sum(n) FROM tally"},
        {"statement": "SELECT pg_sleep(0.3)"},
        {"statement": "INSERT INTO tally VALUES (1)"},
    ]
    async with Sql(dsn).ready() as sql:
        await sql.do("execute", "CREATE TABLE tally (n int)")
        ends = await asyncio.gather(
            *(sql.do("transaction", statements=both, isolation="serializable") for _ in range(2)),
            return_exceptions=True,
        )
    [error] = [end for end in ends if isinstance(end, ActionError)]
    assert (error.code, error.retryable) == ("40001", True)


async def test_lost_connections_are_replaced(dsn: str) -> None:
    """A connection the server ended fails one order, retryable, and the next gets a new one."""
    end_others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'hostd' AND pid <> pg_backend_pid()"
    )
    async with Sql(dsn, pool_size=1).ready() as first, Sql(dsn).ready() as second:
        await first.do("query", "SELECT 1 AS one")
        await second.do("query", end_others)
        error = await first.fails("query", "SELECT 1 AS one")
        assert error.retryable and error.code in ("CONNECTION", "57P01")
        assert (await first.do("query", "SELECT 1 AS one"))["rows"] == [{"one": 1}]


async def test_what_cannot_be_reached_says_so() -> None:
    """Nobody there is CONNECTION, retryable; a string that is none does not show what it holds."""
    pytest.importorskip("psycopg")
    async with Sql("host=127.0.0.1 port=1 user=x dbname=x").ready() as sql:
        error = await sql.fails("query", "SELECT 1")
        assert (error.code, error.retryable) == ("CONNECTION", True)
    async with Sql("hunter2 is my password").ready() as sql:
        error = await sql.fails("query", "SELECT 1")
        assert error.code == "CONNECTION" and "hunter2" not in error.message


async def test_the_pool_is_bounded(dsn: str) -> None:
    """However many orders of all three actions are made at once, a pool of two uses two connections."""
    count = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    insert = f"INSERT INTO counted {count} RETURNING n"
    # In a database of its own: the server takes a while to see the end of connections that are closed already.
    async with Sql(own_database(dsn, "bounded"), pool_size=2).ready() as sql:
        await sql.do("execute", "CREATE TABLE counted (n int)")
        orders = [sql.do("query", count) for _ in range(6)]
        orders += [sql.do("execute", insert) for _ in range(6)]
        orders += [sql.do("transaction", statements=[{"statement": insert}]) for _ in range(6)]
        found = await asyncio.gather(*orders)
    rows = [one["rows"] if "rows" in one else one["results"][0]["rows"] for one in found]
    assert {row["n"] for [row] in rows} <= {1, 2}


async def test_what_is_open_is_shared_and_closed_with_the_last(dsn: str) -> None:
    """The three actions use one connection in turn; one that closes leaves it to the others, the last ends it."""
    own = own_database(dsn, "shared")
    others = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = 'shared'"
    async with Sql(dsn).ready() as watching:
        async with Sql(own, pool_size=1).ready() as sql:
            pids = [(await sql.do("query", "SELECT pg_backend_pid() AS pid"))["rows"]]
            pids.append((await sql.do("execute", "SELECT pg_backend_pid() AS pid"))["rows"])
            await sql.close("query")
            pids.append((await sql.do("execute", "SELECT pg_backend_pid() AS pid"))["rows"])
            assert pids[0] == pids[1] == pids[2]
        while (await watching.do("query", others))["rows"] != [{"n": 0}]:
            await asyncio.sleep(0.01)


async def test_a_changed_password_closes_the_old_connections_once(dsn: str) -> None:
    """However many steps see the change at once, one new pool takes the place of the old one."""
    own = own_database(dsn, "changed")
    async with Sql(own, pool_size=2, password_secret="pg").ready() as sql:
        for password in ("one", "two"):
            sql.ctx.secrets.values["pg"] = password
            await asyncio.gather(*(sql.do("query", "SELECT pg_sleep(0.01)") for _ in range(10)))
        count = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = 'changed'"
        while (await sql.do("query", count))["rows"][0]["n"] > 2:
            await asyncio.sleep(0.01)
