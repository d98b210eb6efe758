"""A host in a notebook: a loop that runs already, `await` at the top level, cells that are run again."""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from types import CodeType
from typing import Any

import pytest

CELLS = [
    """
from hostd.embedding import Host, Workflow, action
from hostd.embedding.uses import flow
host = await Host.open()
""",
    """
@host.use
@action("shop.price")
async def price(sku: str) -> int:
    return len(sku)

order = Workflow("order")
order.output(order.step("price", price.step(sku=order.input.sku)).output)
""",
    """
run = await host.start(order, {"sku": "abc"})
await run.result()
""",
    """
@host.use
@action("shop.price")
def price(sku: str) -> int:
    return len(sku) * 10

await host.execute(order, {"sku": "abc"})
""",
    """
[change.kind async for change in host.watch(run)][-1]
""",
    """
await host.close()
""",
]


async def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook's shell does, on the loop that runs; return the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    await evaluated(compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if not isinstance(last, ast.Expr):
        return None
    return await evaluated(compile(ast.Expression(last.value), "<cell>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)


async def evaluated(code: CodeType, names: dict[str, Any]) -> Any:
    """Evaluate code that may hold `await`."""
    found = eval(code, names)
    return await found if code.co_flags & inspect.CO_COROUTINE else found


async def test_cells_with_await_at_their_top(tmp_path: Any) -> None:
    """Each runs on the loop that runs already; a function defined anew takes the place of the former."""
    names: dict[str, Any] = {"__name__": "__main__"}
    assert [await run_cell(cell, names) for cell in CELLS] == [None, None, 3, 30, "RUN_ENDED", None]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_notebook(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel in a process of its own, as Jupyter starts it."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    asyncio.run(NotebookClient(notebook, timeout=240, kernel_name="python3").async_execute())

    shown = [cell.outputs[-1]["data"]["text/plain"] for cell in notebook.cells[2:5]]
    assert shown == ["3", "30", "'RUN_ENDED'"]
