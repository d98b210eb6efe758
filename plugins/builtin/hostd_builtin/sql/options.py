"""What people write under the sql actions, and what the operator sets up."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator, model_validator

from hostd.plugin import Duration, Field, Options

STATEMENT_CHARS_MAX = 256 * 1024
KEY_PARAMETER = "hostd_key"
Parameters = list[Any] | dict[str, Any]

_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|;", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]+")
_NOT_OURS = frozenset(
    ["abort", "attach", "begin", "close", "commit", "copy", "deallocate", "detach", "discard", "end", "execute",
     "listen", "load", "notify", "prepare", "release", "reset", "rollback", "savepoint", "set", "start", "unlisten"]
)  # fmt: skip


def check_statement(text: str) -> str:
    """Return a statement. Raises ValueError for what would change the transaction or the connection under our hands."""
    at = 0
    while found := _COMMENT.match(text, at):
        at = found.end()
    word = _WORD.match(text, at)
    if word is None and not text[at:].startswith(("(",)):
        raise ValueError("the statement is empty")
    if word is not None and word[0].lower() in _NOT_OURS:
        said = word[0].upper()
        raise ValueError(f"`{said}` is not taken here: sql.transaction does several statements in one transaction")
    return text


class Place(Options):
    """Which database: exactly one of `connection` and `file`."""

    connection: str | None = Field(
        None,
        description="Name of a connection in `plugins.settings.sql.connections`.",
        max_length=64,
        examples=["shop"],
    )
    file: str | None = Field(
        None, description="SQLite file within `plugins.settings.sql.roots`.", min_length=1, max_length=4096
    )
    timeout: Duration = Field(
        "30s", description="For waiting for a connection and for all statements.", gt="0s", le="1h"
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> Place:
        if (self.connection is None) == (self.file is None):
            raise ValueError("write exactly one of connection and file")
        return self


class Form(Options):
    """How rows are given."""

    max_rows: int = Field(1_000, description="Rows that are read at most.", ge=0, le=100_000)
    max_bytes: int = Field(
        4 * 1024 * 1024, description="About how large the rows may be together, as JSON.", ge=1, le=64 * 1024 * 1024
    )
    on_limit: Literal["fail", "truncate"] = Field(
        "fail", description="Past a limit the step fails with TOO_LARGE, or gives what it has with `truncated: true`."
    )
    decimals: Literal["text", "number"] = Field(
        "text", description="Exact decimals (numeric) as text, nothing lost, or as numbers."
    )


class One(Options):
    """A statement and its parameters."""

    statement: str = Field(
        description="One SQL statement; values stand in it as parameters only.",
        code=True,
        min_length=1,
        max_length=STATEMENT_CHARS_MAX,
        examples=["SELECT id, total FROM orders WHERE state = :state"],
    )
    parameters: Parameters = Field(
        default_factory=list,
        description=(
            "Values by place or by name. SQLite writes `?` and `:name`, PostgreSQL `%s` and `%(name)s`. By name, "
            "`hostd_key` is there too: the step's idempotency key."
        ),
        max_length=1_000,
        examples=[{"state": "${{ input.state }}"}],
    )

    @field_validator("statement")
    @classmethod
    def _is_one(cls, statement: str) -> str:
        return check_statement(statement)


class QueryOptions(One, Form, Place):
    """A statement that reads."""

    mode: Literal["rows", "single"] = Field(
        "rows", description="`single`: the first row as `row`, null where there is none."
    )


class ExecuteOptions(One, Form, Place):
    """A statement that changes something."""


class Statement(Options):
    """One statement of several. `statement` is code, `parameters` are values by place or by name."""

    statement: str = Field(description="One SQL statement.", min_length=1, max_length=STATEMENT_CHARS_MAX)
    values: list[str] | dict[str, str] = Field(
        default_factory=list, description="What its parameters are, as names in `parameters`.", max_length=1_000
    )
    expect_rows: int | None = Field(
        None, description="So many rows must be changed, else everything is rolled back (ROWS_UNEXPECTED).", ge=0
    )

    @field_validator("statement")
    @classmethod
    def _is_one(cls, statement: str) -> str:
        return check_statement(statement)


class TransactionOptions(Form, Place):
    """Statements that happen together, or not at all."""

    statements: list[Statement] = Field(
        description="Done in order, in one transaction; `values` names entries of `parameters`.",
        code=True,
        min_length=1,
        max_length=100,
        examples=[
            [{"statement": "UPDATE stock SET n = n - 1 WHERE id = :id", "values": {"id": "id"}, "expect_rows": 1}]
        ],
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values by name; `hostd_key` is there too.",
        max_length=1_000,
        examples=[{"id": 7}],
    )
    isolation: Literal["default", "serializable"] = Field(
        "default", description="`serializable`: PostgreSQL's strictest; SQLite always is. A conflict is retryable."
    )

    @model_validator(mode="after")
    def _values_are_there(self) -> TransactionOptions:
        known = {*self.parameters, KEY_PARAMETER}
        for place, one in enumerate(self.statements):
            names = one.values.values() if isinstance(one.values, dict) else one.values
            unknown = sorted(set(names) - known)
            if unknown:
                raise ValueError(
                    f"statements[{place}].values names {unknown[0][:60]!r}, which `parameters` does not have"
                )
        return self


class Connection(Options):
    """A database the operator set up: exactly one of `sqlite` and `postgres`."""

    sqlite: str | None = Field(
        None, description="Absolute path of an SQLite file; it must be there.", examples=["/srv/a.db"]
    )
    postgres: str | None = Field(
        None,
        description="PostgreSQL's connection string, `postgresql://user@host/db` or `host=... dbname=...`.",
        secret=True,
        examples=["postgresql://shop@db.example.org/shop?sslmode=verify-full"],
    )
    password_secret: str | None = Field(
        None,
        description="Name of a secret, in the namespace of the run, that holds PostgreSQL's password.",
        max_length=255,
    )
    read_only: bool = Field(False, description="Refuse changes; a role without the rights is safer still.")
    pool_size: int = Field(
        4,
        description="Connections to PostgreSQL that all steps together have open at most; with `password_secret`, "
        "those of each namespace.",
        ge=1,
        le=100,
    )
    namespaces: list[str] = Field(default_factory=list, description="Namespaces that may use it; empty = every one.")

    @model_validator(mode="after")
    def _is_one(self) -> Connection:
        if (self.sqlite is None) == (self.postgres is None):
            raise ValueError("a connection has exactly one of sqlite and postgres")
        if self.sqlite is not None and not self.sqlite.startswith("/"):
            raise ValueError("`sqlite` is an absolute path")
        if self.sqlite is not None and self.password_secret is not None:
            raise ValueError("`password_secret` is for postgres")
        return self


class SqlSettings(Options):
    """What the operator sets up."""

    connections: dict[str, Connection] = Field(default_factory=dict, description="Databases by name.", max_length=256)
    roots: list[str] = Field(
        default_factory=list,
        description="Folders whose SQLite files workflows may name with `file`; none = `file` is refused.",
        max_length=64,
    )
