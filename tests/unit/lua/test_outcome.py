"""What a worker's last frame is told as."""

from __future__ import annotations

import pytest

from hostd.lua.outcome import error_failure


@pytest.mark.parametrize(
    "message,told",
    [
        ("a:1: attempt to index a nil value (global 'io')", "have no `io`"),
        ("a:1: attempt to call a nil value (global 'require')", "have no `require`"),
        ("a:1: attempt to call a nil value (field 'getenv')", "have no `os.getenv`"),
        ("a:1: attempt to index a nil value (field 'order')", ""),
        ("attempt to index a nil value (global 'io') said somebody", ""),
    ],
)
def test_what_lua_has_elsewhere_is_named_as_absent(message: str, told: str) -> None:
    """Only where Lua's own sentence ends with it; everything else is left as it is."""
    said = error_failure([message.encode(), b"", b"1"], "a").message
    assert said.startswith(message) and (told in said if told else said == message)
