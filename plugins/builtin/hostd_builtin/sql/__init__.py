"""Databases: `sql.query`, `sql.execute` and `sql.transaction`, on SQLite and PostgreSQL."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.sql.actions import Execute, Query, Transaction


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the actions."""
    for action in (Query, Execute, Transaction):
        registry.action(action)
