"""`sql.query`, `sql.execute` and `sql.transaction`."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, TypeVar

from hostd.plugin import Action, ActionContext, ActionError, HostdError, JsonValue, Kind, Options, ProvisionContext
from hostd_builtin.file.roots import Roots
from hostd_builtin.sql.options import (
    KEY_PARAMETER,
    Connection,
    ExecuteOptions,
    Place,
    QueryOptions,
    SqlSettings,
    TransactionOptions,
)
from hostd_builtin.sql.orders import Asked, Done, Order, with_key
from hostd_builtin.sql.postgres import PostgresPool
from hostd_builtin.sql.sqlite import SqliteThreads, locate

OptionsT = TypeVar("OptionsT", bound=Options)
SETTING = "plugins.settings.sql"


class SqlAction(Action[OptionsT]):
    """Base of the three: the operator's databases."""

    executors = ("inline",)
    Settings = SqlSettings
    max_in_flight = 32
    _sqlite: SqliteThreads | None = None

    async def provision(self, ctx: ProvisionContext) -> None:
        """Get ready; nothing is connected before the first step asks."""
        settings: SqlSettings = self.settings
        self._psycopg: Any = None
        if any(connection.postgres for connection in settings.connections.values()):
            self._psycopg = await asyncio.to_thread(_load_psycopg)
        self._roots = await asyncio.to_thread(Roots, settings.roots)
        self._sqlite = SqliteThreads()
        self._pools: dict[tuple[str, str], PostgresPool] = {}

    async def close(self) -> None:
        """Close what is open."""
        if self._sqlite is not None:
            self._sqlite.close()
            for pool in self._pools.values():
                await pool.close()
            self._sqlite = None

    async def perform(self, ctx: ActionContext, place: Place, order: Order) -> list[Done]:
        """Do an order where the options say. Raises ActionError."""
        assert self._sqlite is not None  # noqa: S101
        if place.file is not None:
            path = await asyncio.to_thread(locate, self._roots, place.file, make=not order.reads)
            return await self._sqlite.run(path, order, mode="ro" if order.reads else "rwc")
        name = str(place.connection)
        connection = self._connection(ctx, name)
        if connection.read_only and not order.reads:
            raise ActionError(f"the operator's connection {name!r} is read only", code="READ_ONLY")
        if connection.sqlite is not None:
            mode = "ro" if order.reads or connection.read_only else "rw"
            return await self._sqlite.run(connection.sqlite, order, mode=mode)
        return await (await self._pool(ctx, name, connection)).run(order)

    def _connection(self, ctx: ActionContext, name: str) -> Connection:
        settings: SqlSettings = self.settings
        found = settings.connections.get(name)
        if found is None or (found.namespaces and ctx.namespace not in found.namespaces):
            message = f"there is no connection {name!r} for this namespace in the operator's `{SETTING}.connections`"
            raise ActionError(message, code="CONNECTION_UNKNOWN")
        return found

    async def _pool(self, ctx: ActionContext, name: str, connection: Connection) -> PostgresPool:
        secret = connection.password_secret
        password = await ctx.secrets.get(secret) if secret is not None else None
        key = (name, ctx.namespace if secret is not None else "")
        arguments: dict[str, Any] = {"conninfo": connection.postgres}
        if password is not None:
            arguments["password"] = password
        pool = self._pools.get(key)
        if pool is None or not pool.is_of(arguments):
            if pool is not None:
                await pool.close()  # the secret was changed
            pool = self._pools[key] = PostgresPool(self._psycopg, arguments, connection.pool_size)
        return pool


def _load_psycopg() -> Any:
    try:
        importlib.import_module("psycopg.types.json")
        return importlib.import_module("psycopg")
    except ImportError:
        message = "PostgreSQL needs the package psycopg: install hostd[postgres]"
        raise HostdError(Kind.MISSING, "PLUGIN_FAILED", message) from None


class Query(SqlAction[QueryOptions]):
    """Reads rows, in a transaction that cannot change anything."""

    id, since, stability, effects = "sql.query", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: QueryOptions) -> JsonValue:
        """Read.

        Raises:
            ActionError: an SQLSTATE or SQLITE_<word>, CONNECTION, TIMEOUT, TOO_LARGE, ... as the page says.
        """
        asked = Asked(options.statement, with_key(options.statement, options.parameters, ctx.idempotency_key))
        [done] = await self.perform(ctx, options, Order([asked], options, True, options.timeout.total_seconds()))
        rows = done.rows
        if options.mode == "single":
            return {"row": rows.rows[0] if rows.rows else None, "found": bool(rows.rows)}
        return {
            "rows": [*rows.rows],
            "row_count": len(rows.rows),
            "columns": [*rows.columns],
            "truncated": rows.truncated,
        }


class Execute(SqlAction[ExecuteOptions]):
    """Does one statement that changes something."""

    id, since, stability, effects = "sql.execute", "0.1", "stable", "at_most_once"

    async def run(self, ctx: ActionContext, options: ExecuteOptions) -> JsonValue:
        """Do it, and commit. Raises ActionError as `Query`, COMMIT_UNKNOWN, READ_ONLY."""
        asked = Asked(options.statement, with_key(options.statement, options.parameters, ctx.idempotency_key))
        [done] = await self.perform(ctx, options, Order([asked], options, False, options.timeout.total_seconds()))
        return _changed(done)


class Transaction(SqlAction[TransactionOptions]):
    """Does several statements in one transaction: all of them, or none."""

    id, since, stability, effects = "sql.transaction", "0.1", "stable", "at_most_once"

    async def run(self, ctx: ActionContext, options: TransactionOptions) -> JsonValue:
        """Do them, and commit. Raises ActionError as `Execute`, ROWS_UNEXPECTED."""
        given = {KEY_PARAMETER: ctx.idempotency_key, **options.parameters}
        asked = []
        for one in options.statements:
            names = one.values
            values = {name: given[of] for name, of in names.items()} if isinstance(names, dict) else None
            listed = [given[of] for of in names] if isinstance(names, list) else None
            asked.append(Asked(one.statement, values or listed or None, one.expect_rows))
        serializable = options.isolation == "serializable"
        order = Order(asked, options, False, options.timeout.total_seconds(), serializable)
        return {"results": [_changed(done) for done in await self.perform(ctx, options, order)]}


def _changed(done: Done) -> dict[str, JsonValue]:
    rows = done.rows
    return {"rows_changed": max(0, done.changed), "rows": [*rows.rows], "truncated": rows.truncated}
