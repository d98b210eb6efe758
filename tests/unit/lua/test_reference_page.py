"""docs/reference/lua.md says what is true: its tables match the code, its examples run."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from lua_scripts import run, value

from hostd.lua.hardening import WORKER_MEASURES, ZYGOTE_MEASURES
from hostd.lua.limits import DEFAULT_LIMITS, LIMIT_ROWS
from hostd.lua.script import LuaPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[3] / "docs/reference/lua.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```lua\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def limits_table() -> str:
    """Return the limits table as the page must print it."""
    lines = ["| limit | breach | default | lowest | highest | what |", "|---|---|---|---|---|---|"]
    defaults = msgspec.structs.asdict(DEFAULT_LIMITS)
    for name, row in LIMIT_ROWS.items():
        breach = f"`{row.breach}`" if row.breach else "none"
        lines.append(f"| `{name}` | {breach} | {defaults[name]:,} | {row.lowest:,} | {row.highest:,} | {row.what} |")
    return "\n".join(lines)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[LuaPool]:
    pool = LuaPool()
    await pool.start()
    yield pool
    await pool.close()


async def test_the_limits_table_is_the_code() -> None:
    """Every limit stands there with its default and bounds; the assertion shows the table to paste."""
    assert limits_table() in PAGE


async def test_every_measure_is_explained() -> None:
    """What GetSystemInfo may name as missing is on the page."""
    for measure in (*ZYGOTE_MEASURES, *WORKER_MEASURES):
        assert f"| `{measure}` |" in PAGE


async def test_what_the_page_names_is_what_a_script_has(pool: LuaPool) -> None:
    """The table of names lists exactly the globals of a script."""
    rows = re.search(r"## What a script sees\n(.*?)## Values", PAGE, re.DOTALL)
    assert rows is not None
    named = set(re.findall(r"^\| `(\w+)` \|", rows[1], re.MULTILINE)) | {"print"}
    basics = re.search(r"^\| basics \| (.*) \|$", rows[1], re.MULTILINE)
    assert basics is not None
    named |= set(re.findall(r"`(\w+)`", basics[1]))
    assert (
        set(await value(pool, "local names = {} for name in pairs(_G) do names[#names + 1] = name end return names"))
        == named
    )


@pytest.mark.parametrize("example", EXAMPLES)
async def test_examples_do_what_they_say(pool: LuaPool, example: str) -> None:
    """Each example takes the input its first line gives and ends as its last line says."""
    given = re.search(r"^-- input: (.*)$", example, re.MULTILINE)
    result = await run(pool, example, input=(given[1] if given else "null").encode())
    failed = re.search(r"^-- fails: (\S+) (\S+)$", example, re.MULTILINE)
    if failed:
        assert result.failure is not None
        assert (result.failure.reason, result.failure.code) == (failed[1], failed[2])
        return
    returned = re.search(r"^-- returns: (.*)$", example, re.MULTILINE)
    assert returned is not None
    assert result.failure is None, result.failure
    assert json.loads(result.output or b"") == json.loads(returned[1])
