"""The sql actions on SQLite files: roots, parameters, limits, and what a statement cannot reach."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostd.plugin import ActionError
from hostd.plugin.testing import FakeActionContext, run_action
from hostd_builtin.sql.actions import Execute, Query, Transaction
from hostd_builtin.sql.options import QueryOptions, check_statement

ACTIONS: dict[str, Any] = {"query": Query, "execute": Execute, "transaction": Transaction}
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT {} AS n FROM c"


class Sql:
    """Attempts on a file in a folder."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.settings = {"roots": [str(root)], **settings}
        self.place: dict[str, Any] = {"file": "a.db"}

    async def do(self, action: str, statement: str = "", values: Any = None, **options: Any) -> Any:
        """Run one attempt."""
        given = {**self.place, **options}
        if statement:
            given["statement"] = statement
        if values is not None:
            given["parameters"] = values
        return await run_action(ACTIONS[action], given, settings=self.settings, ctx=FakeActionContext())

    async def fails(self, *args: Any, **options: Any) -> str:
        """Return the code with which an attempt fails."""
        with pytest.raises(ActionError) as caught:
            await self.do(*args, **options)
        return caught.value.code


async def test_values_go_in_and_come_out(tmp_path: Path) -> None:
    """By place and by name, the step's key included; whole numbers exact, bytes base64, maps as JSON text."""
    sql = Sql(tmp_path)
    await sql.do("execute", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    put = await sql.do("execute", "INSERT INTO t (v) VALUES (?), (?) RETURNING v", ["'; DROP TABLE t", {"a": 1}])
    assert put["rows"] == [{"v": "'; DROP TABLE t"}, {"v": '{"a":1}'}] and put["rows_changed"] == 2
    found = await sql.do(
        "query", "SELECT :n AS n, 1.5 AS f, x'00ff' AS b, NULL AS z, :hostd_key AS k", {"n": 2**63 - 1}, mode="single"
    )
    assert found == {"row": {"n": 2**63 - 1, "f": 1.5, "b": "AP8=", "z": None, "k": "testkey"}, "found": True}
    assert await sql.do("query", "SELECT 1 AS one WHERE 0", mode="single") == {"row": None, "found": False}
    assert await sql.fails("query", "SELECT 1 AS a, 2 AS a") == "COLUMN_TWICE"
    assert await sql.fails("execute", "INSERT INTO t (id) VALUES (1)") == "SQLITE_CONSTRAINT_PRIMARYKEY"


async def test_a_query_changes_nothing_and_makes_no_file(tmp_path: Path) -> None:
    """sql.query opens what is there, read only."""
    sql = Sql(tmp_path)
    assert await sql.fails("query", "SELECT 1") == "NOT_FOUND"
    await sql.do("execute", "CREATE TABLE t (a)")
    assert await sql.fails("query", "INSERT INTO t VALUES (1)") == "SQLITE_READONLY"
    assert await sql.fails("query", "SELECT 1; DELETE FROM t") == "SQLITE_MISUSE"


async def test_files_lie_within_the_roots(tmp_path: Path) -> None:
    """Neither a path outside, nor a link, nor an attached file, nor a copy elsewhere; and nothing without roots."""
    root, outside = tmp_path / "root", tmp_path / "outside.db"
    root.mkdir()
    sqlite3.connect(outside).execute("CREATE TABLE secret (a)").connection.close()
    (root / "link.db").symlink_to(outside)
    sql = Sql(root)
    await sql.do("execute", "CREATE TABLE t (a)")
    for file in ("../outside.db", str(outside), "link.db"):
        assert await sql.fails("query", "SELECT 1", file=file) == "PATH_DENIED"
    assert await sql.fails("execute", f"VACUUM INTO '{tmp_path}/copy.db'") == "SQLITE_ERROR"
    assert await sql.fails("execute", "PRAGMA journal_mode = OFF") == "SQLITE_AUTH"
    assert await sql.fails("execute", "PRAGMA user_version = 5") == "SQLITE_AUTH"
    assert await sql.fails("query", "SELECT load_extension('x')") == "SQLITE_ERROR"
    assert (await sql.do("query", "PRAGMA table_info(t)"))["rows"][0]["name"] == "a"
    assert await Sql(root, roots=[]).fails("query", "SELECT 1") == "PATH_DENIED"
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize(
    "statement",
    ["BEGIN", " /* x */ commit", "-- a\nATTACH 'x' AS y", "; ROLLBACK", "SET ROLE x", "COPY t TO '/x'", " -- a"],
)
def test_what_would_change_the_connection_is_refused(statement: str) -> None:
    """Transactions and switches are not the statement's, whatever comments stand before it."""
    with pytest.raises(ValueError):
        check_statement(statement)
    with pytest.raises(ValidationError):
        QueryOptions.model_validate({"file": "a", "statement": statement})


async def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    """A statement that fails, or changes another number of rows, takes back the others."""
    sql = Sql(tmp_path)
    await sql.do("execute", "CREATE TABLE t (a UNIQUE)")
    put = {"statement": "INSERT INTO t VALUES (?)", "values": ["a"]}
    assert await sql.fails("transaction", statements=[put, put], values={"a": 1}) == "SQLITE_CONSTRAINT_UNIQUE"
    none = {"statement": "DELETE FROM t WHERE a = :a", "values": {"a": "a"}, "expect_rows": 1}
    assert await sql.fails("transaction", statements=[none], values={"a": 1}) == "ROWS_UNEXPECTED"
    assert (await sql.do("query", "SELECT * FROM t"))["rows"] == []
    done = await sql.do("transaction", statements=[put, none], values={"a": 1})
    assert [one["rows_changed"] for one in done["results"]] == [1, 1]


async def test_limits_hold(tmp_path: Path) -> None:
    """Rows, bytes and time are bounded; the file can be used right after."""
    sql = Sql(tmp_path)
    await sql.do("execute", "CREATE TABLE t (a)")
    cut = await sql.do("query", ENDLESS.format("n"), max_rows=2, on_limit="truncate")
    assert [row["n"] for row in cut["rows"]] == [1, 2] and cut["truncated"]
    assert await sql.fails("query", ENDLESS.format("n"), max_rows=5) == "TOO_LARGE"
    assert await sql.fails("query", ENDLESS.format("hex(zeroblob(5000))"), max_bytes=50_000) == "TOO_LARGE"
    assert await sql.fails("query", "SELECT zeroblob(1000000000) AS n") == "SQLITE_TOOBIG"
    assert await sql.fails("query", ENDLESS.format("count(*)"), timeout="200ms") == "TIMEOUT"
    asking = asyncio.create_task(sql.do("execute", "INSERT INTO t " + ENDLESS.format("n"), timeout="1m"))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await sql.do("execute", "INSERT INTO t VALUES (1)")
    assert (await sql.do("query", "SELECT count(*) AS n FROM t"))["rows"] == [{"n": 1}]


async def test_a_locked_file_is_retryable(tmp_path: Path) -> None:
    """Who waits longer than the timeout for a lock may try again."""
    sql = Sql(tmp_path)
    await sql.do("execute", "CREATE TABLE t (a)")
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ActionError) as caught:
        await sql.do("execute", "INSERT INTO t VALUES (1)", timeout="200ms")
    other.close()
    assert caught.value.retryable and caught.value.code in ("SQLITE_BUSY", "TIMEOUT")


async def test_connections_are_the_operators(tmp_path: Path) -> None:
    """A name leads to the operator's file, for the namespaces it is for; read only is kept."""
    file = tmp_path / "stats.db"
    sqlite3.connect(file).execute("CREATE TABLE t (a)").connection.close()
    connections = {
        "open": {"sqlite": str(file)},
        "reads": {"sqlite": str(file), "read_only": True},
        "theirs": {"sqlite": str(file), "namespaces": ["other"]},
    }
    sql = Sql(tmp_path, connections=connections)
    sql.place = {"connection": "open"}
    assert (await sql.do("execute", "INSERT INTO t VALUES (1)"))["rows_changed"] == 1
    assert (await sql.do("query", "SELECT a FROM t", connection="reads"))["rows"] == [{"a": 1}]
    assert await sql.fails("execute", "INSERT INTO t VALUES (1)", connection="reads") == "READ_ONLY"
    assert await sql.fails("query", "SELECT 1", connection="theirs") == "CONNECTION_UNKNOWN"
    assert await sql.fails("query", "SELECT 1", connection="none") == "CONNECTION_UNKNOWN"
