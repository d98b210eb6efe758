"""`kv.get`, `kv.put`, `kv.add`, `kv.delete` and `kv.list`, against the fake keys."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hostd.errors.base import HostdError
from hostd.plugin.testing import FakeActionContext, FakeKv, check_plugin, run_action
from hostd_builtin import kv
from hostd_builtin.kv.change import Add, Delete, Put
from hostd_builtin.kv.read import Get, List


async def test_the_plugin_conforms() -> None:
    """Everything is described, refuses unknown options and accepts its own examples."""
    assert await check_plugin(kv) == []


async def test_what_is_put_is_read() -> None:
    """A value comes back with its version and time; what is not there has the default and version 0."""
    ctx = FakeActionContext()
    put: Any = await run_action(Put, {"key": "a", "value": {"n": 1}, "ttl": "10s"}, ctx=ctx)
    assert put == {"key": "a", "value": {"n": 1}, "version": 1, "expires_at": "2026-01-01T00:00:10Z"}
    assert await run_action(Get, {"key": "a"}, ctx=ctx) == {**put, "exists": True}
    missing: Any = await run_action(Get, {"key": "b", "default": 7}, ctx=ctx)
    assert (missing["value"], missing["version"], missing["exists"]) == (7, 0, False)


async def test_changes_name_the_version_they_were_made_upon() -> None:
    """A put and a delete with another version change nothing."""
    ctx = FakeActionContext(kv=FakeKv({"a": 1}))
    for action, options in ((Put, {"value": 2}), (Delete, {})):
        with pytest.raises(HostdError, match="KV_CONFLICT"):
            await run_action(action, {"key": "a", "expected_version": 5} | options, ctx=ctx)  # type: ignore[arg-type]
    assert await run_action(Delete, {"key": "a", "expected_version": 1}, ctx=ctx) == {"deleted": True}
    assert await run_action(Delete, {"key": "a"}, ctx=ctx) == {"deleted": False}


async def test_sums() -> None:
    """A key that is not there counts as 0; a text takes no addition."""
    ctx = FakeActionContext(kv=FakeKv({"text": "x"}))
    await run_action(Add, {"key": "n"}, ctx=ctx)
    total: Any = await run_action(Add, {"key": "n", "amount": -5}, ctx=ctx)
    assert (total["value"], total["version"]) == (-4, 2)
    with pytest.raises(HostdError, match="KV_NOT_A_NUMBER"):
        await run_action(Add, {"key": "text"}, ctx=ctx)


async def test_pages_lead_to_each_other() -> None:
    """`next` goes behind the last key of a full page, and is null at the end."""
    ctx = FakeActionContext(kv=FakeKv({f"p/{n}": n for n in range(5)} | {"q": 9}))
    first: Any = await run_action(List, {"prefix": "p/", "limit": 3}, ctx=ctx)
    second: Any = await run_action(List, {"prefix": "p/", "limit": 3, "after": first["next"]}, ctx=ctx)
    assert [entry["value"] for entry in first["entries"] + second["entries"]] == [0, 1, 2, 3, 4]
    assert (first["next"], second["next"]) == ("p/2", None)


@pytest.mark.parametrize("key", ["", "x" * 513, "a\0b"])
async def test_a_key_that_is_none_is_refused_before_it_runs(key: str) -> None:
    """Options say what a key is."""
    with pytest.raises(ValidationError):
        await run_action(Get, {"key": key})
