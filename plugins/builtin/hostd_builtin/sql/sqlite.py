"""SQLite: a connection for each order, in threads of our own, so that a locked file holds up nobody else."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import quote

from hostd.plugin import ActionError, JsonValue, dump_json
from hostd_builtin.file.failures import told
from hostd_builtin.file.roots import Roots, look
from hostd_builtin.sql.options import Parameters
from hostd_builtin.sql.orders import Asked, Done, Order, check_changed, timed_out
from hostd_builtin.sql.values import Rows

THREADS = 8
VALUE_BYTES_MAX = 64 * 1024 * 1024
OPS_BETWEEN_LOOKS = 10_000
_MAY_PASS = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_PROTOCOL")
_PRAGMAS = frozenset(
    ["application_id", "collation_list", "compile_options", "database_list", "encoding", "foreign_key_check",
     "foreign_key_list", "foreign_keys", "function_list", "index_info", "index_list", "index_xinfo", "integrity_check",
     "page_count", "page_size", "quick_check", "table_info", "table_list", "table_xinfo", "user_version"]
)  # fmt: skip


class SqliteThreads:
    """The threads that all SQLite files share."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sqlite")

    async def run(self, path: str, order: Order, *, mode: str) -> list[Done]:
        """Do an order; a timeout or a cancel stops it, and it is rolled back.

        Args:
            mode: `ro`, `rw`, or `rwc` where the file may be made.

        Raises:
            ActionError: SQLITE_<word>, TIMEOUT, TOO_LARGE, COLUMN_TWICE, ROWS_UNEXPECTED.
        """
        visit = _Visit(path, order, mode)
        ending = asyncio.get_running_loop().run_in_executor(self._threads, visit.run)
        try:
            async with asyncio.timeout(order.timeout_s):
                return await asyncio.shield(ending)
        except TimeoutError:
            visit.stop()
            await asyncio.wait([ending])
            if ending.exception() is None:
                return ending.result()  # it was just done
            raise timed_out(order.timeout_s) from None
        except asyncio.CancelledError:
            visit.stop()
            await asyncio.wait([ending])
            ending.exception()
            raise

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Visit:
    """One order in a thread."""

    def __init__(self, path: str, order: Order, mode: str) -> None:
        self._path = path
        self._order = order
        self._mode = mode
        self._stopped = False
        self._open: sqlite3.Connection | None = None

    def stop(self) -> None:
        """End what runs; from another thread."""
        self._stopped = True
        opened = self._open
        if opened is not None:
            try:
                opened.interrupt()
            except sqlite3.ProgrammingError:
                return  # closed just now

    def run(self) -> list[Done]:
        """Open, do, commit. Raises ActionError."""
        try:
            with closing(self._connect()) as connection:
                return self._do(connection)
        except sqlite3.Error as error:
            raise _failure(error) from None
        except OverflowError:
            raise ActionError("a parameter is larger than 64 bits", code="SQLITE_RANGE") from None

    def _connect(self) -> sqlite3.Connection:
        if self._stopped:
            raise timed_out(self._order.timeout_s)
        uri = f"file:{quote(self._path)}?mode={self._mode}"
        opened = sqlite3.connect(
            uri, uri=True, timeout=self._order.timeout_s, isolation_level=None, check_same_thread=False
        )
        self._open = opened
        opened.text_factory = lambda data: data.decode("utf-8", "replace")
        opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)
        opened.execute("PRAGMA foreign_keys = ON")
        if self._order.reads or self._mode == "ro":
            opened.execute("PRAGMA query_only = ON")
        opened.set_authorizer(_allowed)
        opened.set_progress_handler(lambda: self._stopped, OPS_BETWEEN_LOOKS)
        return opened

    def _do(self, connection: sqlite3.Connection) -> list[Done]:
        connection.execute("BEGIN" if self._order.reads else "BEGIN IMMEDIATE")
        try:
            done = [self._one(connection, place, asked) for place, asked in enumerate(self._order.asked)]
            if self._stopped:
                raise timed_out(self._order.timeout_s)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.set_progress_handler(None, 0)
                connection.execute("ROLLBACK")
            raise
        return done

    def _one(self, connection: sqlite3.Connection, place: int, asked: Asked) -> Done:
        rows = Rows(self._order.form)
        with closing(connection.execute(asked.statement, _bound(asked.values))) as cursor:
            if cursor.description is not None:
                rows.name([column[0] for column in cursor.description])
                room = True
                for row in cursor:
                    room = room and rows.add(row)
                    if not room and self._order.reads:
                        break
            changed = cursor.rowcount
        check_changed(place, asked, changed)
        return Done(rows, changed)


def _bound(values: Parameters | None) -> Any:
    if isinstance(values, dict):
        return {name: _plain(value) for name, value in values.items()}
    return [_plain(value) for value in values or ()]


def _plain(value: JsonValue) -> Any:
    return dump_json(value).decode() if isinstance(value, dict | list) else value


def _allowed(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Refuse what reaches other files, or turns the connection's switches."""
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA:
        reads = str(first).lower() in _PRAGMAS and (second is None or str(first).lower() not in _SWITCHES)
        return sqlite3.SQLITE_OK if reads else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


_SWITCHES = frozenset(["application_id", "encoding", "foreign_keys", "page_size", "user_version"])


def _failure(error: sqlite3.Error) -> ActionError:
    name = getattr(error, "sqlite_errorname", None) or "SQLITE_MISUSE"
    retryable = name.startswith(_MAY_PASS)
    return ActionError(str(error)[:1_000], code=name, retryable=retryable, details={"sqlite": name})


def locate(roots: Roots, path: str, *, make: bool) -> str:
    """Return the real path of an SQLite file within the roots.

    Raises:
        ActionError: PATH_DENIED (outside, a link, no plain file), NOT_FOUND.
    """
    with told(path), roots.spot(path) as spot:
        found = look(spot)
        if found is None and not make:
            raise FileNotFoundError(2, "No such file", spot.path)
        if found is not None and not _is_plain(found):
            raise ActionError(f"{spot.path} is no plain file; links are not followed", code="PATH_DENIED")
        return os.path.join(os.path.realpath(os.path.dirname(spot.path)), spot.name)


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode)
