"""How a plugin author tests an action: no daemon, no network."""

import hostd_hello
import pytest
from pydantic import ValidationError

from hostd.plugin.testing import FakeActionContext, check_plugin, run_action


async def test_it_greets() -> None:
    """The name comes back in the greeting, and in the log."""
    context = FakeActionContext()
    assert await run_action(hostd_hello.Hello, {"name": "Ada"}, ctx=context) == {"text": "hello Ada"}
    assert context.log.lines == [("info", "greeting", {"name": "Ada"})]


async def test_it_refuses_what_it_does_not_know() -> None:
    """A misspelt option is refused, not ignored."""
    with pytest.raises(ValidationError):
        await run_action(hostd_hello.Hello, {"nam": "Ada"})


async def test_it_conforms() -> None:
    """The plugin keeps every promise the conformance kit checks."""
    assert await check_plugin(hostd_hello) == []
