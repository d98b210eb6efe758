"""The operator's databases, as the three actions share them: a pool for each PostgreSQL, the threads for SQLite."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from hostd.plugin import ActionContext, ActionError, HostdError, Kind
from hostd_builtin.file.roots import Roots
from hostd_builtin.sql.options import Connection, Place, SqlSettings
from hostd_builtin.sql.orders import Done, Order
from hostd_builtin.sql.postgres import PostgresPool
from hostd_builtin.sql.sqlite import SqliteThreads, locate

SETTING = "plugins.settings.sql"


class Databases:
    """What is open of one daemon's databases; nothing is connected before the first order asks.

    `acquire` gives the same one to every action of a daemon, and `release` closes it with the last of them.
    """

    def __init__(self, settings: SqlSettings, data_dir: Path | None) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._users = 0
        self._opening = asyncio.Lock()
        self._roots: Roots | None = None
        self._psycopg: Any = None
        self._sqlite = SqliteThreads()
        self._pools: dict[tuple[str, str], PostgresPool] = {}

    @staticmethod
    def acquire(settings: SqlSettings, data_dir: Path | None) -> Databases:
        """Return the one with these settings; each call is followed by one of `release`."""
        known = _OPEN.setdefault(asyncio.get_running_loop(), [])
        found = next((one for one in known if one._settings == settings and one._data_dir == data_dir), None)
        if found is None:
            found = Databases(settings, data_dir)
            known.append(found)
        found._users += 1
        return found

    async def release(self) -> None:
        """Close what is open, unless another action uses it."""
        self._users -= 1
        if self._users:
            return
        _OPEN[asyncio.get_running_loop()].remove(self)
        self._sqlite.close()
        for pool in self._pools.values():
            await pool.close()

    async def open(self) -> None:
        """Get ready. Raises HostdError PLUGIN_FAILED where a package is missing."""
        async with self._opening:
            if self._roots is not None:
                return
            if any(connection.postgres for connection in self._settings.connections.values()):
                self._psycopg = await asyncio.to_thread(_load_psycopg)
            self._roots = await asyncio.to_thread(Roots, self._settings.roots, f"{SETTING}.roots")

    async def perform(self, ctx: ActionContext, place: Place, order: Order) -> list[Done]:
        """Do an order where the options say. Raises ActionError."""
        if place.file is not None:
            assert self._roots is not None  # noqa: S101
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
        found = self._settings.connections.get(name)
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
        if pool is not None and pool.is_of(arguments):
            return pool
        made = self._pools[key] = PostgresPool(self._psycopg, arguments, connection.pool_size)
        if pool is not None:
            await pool.close()  # the secret was changed
        return made


_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Databases]] = WeakKeyDictionary()
"""By loop, for a process may have several daemons; those of one loop differ in settings or data folder."""


def _load_psycopg() -> Any:
    try:
        importlib.import_module("psycopg.types.json")
        return importlib.import_module("psycopg")
    except ImportError:
        message = "PostgreSQL needs the package psycopg: install hostd[postgres]"
        raise HostdError(Kind.MISSING, "PLUGIN_FAILED", message) from None
