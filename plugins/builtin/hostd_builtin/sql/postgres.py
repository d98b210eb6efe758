"""PostgreSQL: a few connections kept open for each name, every order in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from hostd.plugin import ActionError, JsonValue
from hostd_builtin.sql.options import Parameters
from hostd_builtin.sql.orders import Asked, Done, Order, check_changed, timed_out
from hostd_builtin.sql.values import Rows

CLOSE_S = 5.0
_MAY_PASS = ("40", "08", "53", "57P", "55P03")
_CANCELED = "57014"


class PostgresPool:
    """The connections to one database. They are made when needed and kept until one breaks or the pool closes.

    Args:
        psycopg: the module, which is an extra.
        connect: arguments of its `connect`.
    """

    def __init__(self, psycopg: Any, connect: dict[str, Any], size: int) -> None:
        self._psycopg = psycopg
        self._connect = connect
        self._free: list[Any] = []
        self._places = asyncio.Semaphore(size)
        self._closed = False

    def is_of(self, connect: dict[str, Any]) -> bool:
        """Say whether it connects with these arguments."""
        return self._connect == connect

    async def run(self, order: Order) -> list[Done]:
        """Do an order.

        Raises:
            ActionError: an SQLSTATE such as 23505 or 40001, CONNECTION, TIMEOUT, COMMIT_UNKNOWN, TOO_LARGE,
                COLUMN_TWICE, ROWS_UNEXPECTED.
        """
        deed = _Deed(self._psycopg, order)
        try:
            async with asyncio.timeout(order.timeout_s), self._connection() as connection:
                return await deed.run(connection)
        except TimeoutError:
            raise (_unknown() if deed.commits else timed_out(order.timeout_s)) from None
        except self._psycopg.Error as error:
            raise self._failure(error, deed) from None

    async def close(self) -> None:
        """Close what is open."""
        self._closed = True
        while self._free:
            await self._drop(self._free.pop())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Lend a connection; one that is not idle afterwards is closed."""
        async with self._places:
            connection = self._free.pop() if self._free else None
            if connection is None or connection.closed:
                connection = await self._open()
            try:
                yield connection
            finally:
                idle = self._psycopg.pq.TransactionStatus.IDLE
                if not self._closed and not connection.closed and connection.info.transaction_status == idle:
                    self._free.append(connection)
                else:
                    await self._drop(connection)

    async def _open(self) -> Any:
        try:
            return await self._psycopg.AsyncConnection.connect(
                autocommit=True, application_name="hostd", **self._connect
            )
        except self._psycopg.ProgrammingError:
            message = "the connection string in `plugins.settings.sql` is not understood"  # its text holds secrets
            raise ActionError(message, code="CONNECTION") from None

    async def _drop(self, connection: Any) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await connection.close()
        except (self._psycopg.Error, TimeoutError):
            return  # it is gone either way

    def _failure(self, error: Any, deed: _Deed) -> ActionError:
        state = error.sqlstate or ""
        if state == _CANCELED:
            return timed_out(deed.order.timeout_s)
        if not state and isinstance(error, self._psycopg.OperationalError):
            if deed.commits:
                return _unknown()
            message = " ".join(str(error).split())[:500]
            return ActionError(f"no connection: {message}", code="CONNECTION", retryable=True)
        diag = error.diag
        message = (diag.message_primary or str(error))[:1_000]
        details: dict[str, JsonValue] = {"sqlstate": state}
        for word in ("constraint_name", "table_name", "column_name"):
            if getattr(diag, word):
                details[word] = getattr(diag, word)
        return ActionError(message, code=state or "STATEMENT", retryable=state.startswith(_MAY_PASS), details=details)


class _Deed:
    """One order on a connection. `commits` is true while nobody can say whether it was done."""

    def __init__(self, psycopg: Any, order: Order) -> None:
        self._psycopg = psycopg
        self.order = order
        self.commits = False

    async def run(self, connection: Any) -> list[Done]:
        """Do it in one transaction."""
        order = self.order
        words = " ISOLATION LEVEL SERIALIZABLE" if order.serializable else ""
        words += " READ ONLY" if order.reads else ""
        wait_ms = max(1, round(order.timeout_s * 1_000))
        await connection.execute(f"BEGIN{words}; SET LOCAL statement_timeout = {wait_ms}")
        try:
            done = [await self._one(connection, place, asked) for place, asked in enumerate(order.asked)]
        except (ActionError, self._psycopg.Error):
            if not connection.closed:
                await connection.execute("ROLLBACK")
            raise
        self.commits = not order.reads
        await connection.execute("ROLLBACK" if order.reads else "COMMIT")
        self.commits = False
        return done

    async def _one(self, connection: Any, place: int, asked: Asked) -> Done:
        rows, values = Rows(self.order.form), self._bound(asked.values)
        async with connection.cursor() as cursor:
            if self.order.reads:
                await self._read(cursor, asked, values, rows)
            else:
                await cursor.execute(asked.statement, values, prepare=True)  # never several statements at once
                if cursor.description is not None:
                    rows.name([column.name for column in cursor.description])
                    async for row in cursor:
                        if not rows.add(row):
                            break
            changed: int = cursor.rowcount
        check_changed(place, asked, changed)
        return Done(rows, changed)

    async def _read(self, cursor: Any, asked: Asked, values: Any, rows: Rows) -> None:
        """Take rows as the server sends them: what lies past the limits is never in memory."""
        stream = cursor.stream(asked.statement, values)
        try:
            async for row in stream:
                if not rows.columns:
                    rows.name([column.name for column in cursor.description])
                if not rows.add(row):
                    break
        finally:
            await stream.aclose()

    def _bound(self, values: Parameters | None) -> Any:
        if isinstance(values, dict):
            return {name: self._plain(value) for name, value in values.items()}
        return None if values is None else [self._plain(value) for value in values]

    def _plain(self, value: JsonValue) -> Any:
        """Return what psycopg sends: maps as jsonb; lists as arrays, those that hold lists or maps as jsonb."""
        if isinstance(value, dict) or (isinstance(value, list) and _is_nested(value)):
            return self._psycopg.types.json.Jsonb(value)
        return value


def _is_nested(items: Sequence[JsonValue]) -> bool:
    return any(isinstance(item, dict | list) for item in items)


def _unknown() -> ActionError:
    message = (
        "the connection was lost while it was committed: it may or may not have been done; look before trying again"
    )
    return ActionError(message, code="COMMIT_UNKNOWN")
