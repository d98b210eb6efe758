"""What `import hostd.client` gives, and what it does not bring along."""

import subprocess
import sys

import pytest

import hostd.client

# What a command that is one rpc has no use for, and a tenth of a second is spent on.
HEAVY = (
    "hostd.client.results",
    "hostd.client.host_results",
    "hostd.client.errors",
    "hostd.client.conversion",
    "hostd.v1",
    "google.rpc",
    "random",
)


def test_every_name_is_there() -> None:
    """Each public name can be imported; another is an AttributeError that says so."""
    for name in hostd.client.__all__:
        assert getattr(hostd.client, name) is not None
    with pytest.raises(AttributeError, match="nobody"):
        hostd.client.nobody  # noqa: B018


def test_one_rpc_brings_nothing_it_does_not_use() -> None:
    """A connection is made without the methods above it, their results, the classes of errors and other services."""
    program = (
        "import sys; from hostd.client import BlockingConnection, Door\n"
        "with BlockingConnection(Door('127.0.0.1:1')) as connection: pass\n"
        f"print(*[name for name in {HEAVY!r} if any(it == name or it.startswith(name + '.') for it in sys.modules)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
