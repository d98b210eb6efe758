"""A function moves from a program into a plugin without change: the same outcomes wherever it runs."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from hostd.testing import Case, check_plugin

FUNCTIONS = '''
"""A shop's functions, first written in a program that embeds a host."""

import time

from hostd.plugin import ActionContext, ActionError, Registry, action, hookimpl


@action("shop.price", effects="none", since="0.1")
async def price(ctx: ActionContext, sku: str, amount: int = 1) -> dict[str, int]:
    """Return what an article costs.

    Args:
        sku: The article's number.
        amount: How many.
    """
    if sku == "none":
        raise ActionError("there is no such article", code="NO_ARTICLE")
    ctx.log.info("asked", sku=sku)
    return {"cents": 7 * amount}


@action("shop.weigh", since="0.1")
def weigh(grams: list[int]) -> int:
    """Add weights, in a thread.

    Args:
        grams: The weights.
    """
    time.sleep(0)
    return sum(grams)


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register both."""
    registry.action(price)
    registry.action(weigh)
'''


@pytest.mark.timeout(400)
async def test_functions_are_a_plugin_too(tmp_path: Path) -> None:
    """Inside the daemon, in threads of their own, and in a process: options, outputs, errors and logs are the same."""
    package = tmp_path / "shop" / "hostd_shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(textwrap.dedent(FUNCTIONS))
    cases = [
        Case("shop.price", {"sku": "a", "amount": 3}, output={"cents": 21}),
        Case("shop.price", {"sku": "none"}, reason="ACTION_FAILED", code="NO_ARTICLE"),
        Case("shop.price", {"sku": "a", "amount": "${{ 'many' }}"}, reason="OPTION_INVALID"),
        Case("shop.weigh", {"grams": [1, 2]}, output=3),
    ]

    assert await check_plugin(tmp_path / "shop", cases) == []
