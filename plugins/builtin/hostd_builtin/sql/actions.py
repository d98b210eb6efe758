"""`sql.query`, `sql.execute` and `sql.transaction`."""

from __future__ import annotations

from typing import TypeVar

from hostd.plugin import Action, ActionContext, JsonValue, Options, ProvisionContext
from hostd_builtin.sql.codes import CODES
from hostd_builtin.sql.databases import Databases
from hostd_builtin.sql.options import (
    KEY_PARAMETER,
    ExecuteOptions,
    Place,
    QueryOptions,
    SqlSettings,
    TransactionOptions,
)
from hostd_builtin.sql.orders import Asked, Done, Order, with_key

OptionsT = TypeVar("OptionsT", bound=Options)


class SqlAction(Action[OptionsT]):
    """Base of the three: they share the operator's databases."""

    executors = ("inline",)
    Settings = SqlSettings
    codes = CODES
    max_in_flight = 32
    _databases: Databases | None = None

    async def provision(self, ctx: ProvisionContext) -> None:
        """Get ready; nothing is connected before the first step asks."""
        self._databases = Databases.acquire(self.settings, ctx.data_dir)
        await self._databases.open()

    async def close(self) -> None:
        """Close what is open, if this is the last of the three."""
        databases, self._databases = self._databases, None
        if databases is not None:
            await databases.release()

    async def perform(self, ctx: ActionContext, place: Place, order: Order) -> list[Done]:
        """Do an order where the options say. Raises ActionError."""
        assert self._databases is not None  # noqa: S101
        return await self._databases.perform(ctx, place, order)


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
