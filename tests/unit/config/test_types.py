"""Sizes and addresses as a person writes them."""

import pytest

from hostd.config.types import HostPort, format_size_bytes, parse_address, parse_size_bytes


@pytest.mark.parametrize(
    "text,size", [("0", 0), ("4096", 4096), ("1KiB", 1024), ("1.5 MiB", 1572864), ("2GiB", 2 << 30)]
)
def test_sizes(text: str, size: int) -> None:
    """A size is a count of bytes or a number with a binary unit."""
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "1MB", "1k", "-1", "1 MiB MiB", "9" * 30, "1e9", "9999999TiB", "٣"])
def test_what_is_no_size(text: str) -> None:
    """Decimal units and anything unclear are refused rather than guessed."""
    with pytest.raises(ValueError, match="is not a size|pebibyte"):
        parse_size_bytes(text)


@pytest.mark.parametrize("size", [0, 1, 1024, 1500, 64 << 20, 3 << 40])
def test_sizes_read_back(size: int) -> None:
    """What is printed means the same when read."""
    assert parse_size_bytes(format_size_bytes(size)) == size


def test_addresses() -> None:
    """IPv6 needs brackets; loopback is known for what it is."""
    assert parse_address("127.0.0.1:7420") == HostPort("127.0.0.1", 7420)
    assert parse_address("[::1]:0") == HostPort("::1", 0)
    assert parse_address("[::1]:0").loopback
    assert parse_address("127.8.9.1:1").loopback
    assert parse_address("localhost:1").loopback
    assert not parse_address("0.0.0.0:1").loopback
    assert not parse_address("localhost.evil.example:1").loopback


@pytest.mark.parametrize(
    "text", ["", "7420", ":7420", "host", "host:", "host:x", "host:65536", "::1:7420", "host:99999999999"]
)
def test_what_is_no_address(text: str) -> None:
    """A missing host, port or bracket is refused."""
    with pytest.raises(ValueError, match="is not an address|past 65535"):
        parse_address(text)
