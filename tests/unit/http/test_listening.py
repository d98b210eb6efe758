"""Sockets that listen before anybody serves what comes to them."""

import asyncio
import socket

import pytest

from hostd.errors.base import HostdError
from hostd.http.listening import address_of, close, listen


async def test_who_connects_before_anybody_serves_waits_in_line() -> None:
    """A connection and what it says are kept by the system until a server takes the socket over."""
    (one,) = await listen("127.0.0.1:0")
    reader, writer = await asyncio.open_connection(*address_of([one]))
    writer.write(b"early\n")
    await writer.drain()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(echo, sock=one)
    assert await reader.readline() == b"early\n"
    writer.close()
    server.close()


async def test_a_name_listens_on_the_addresses_it_stands_for() -> None:
    """A socket for each, which does not answer for another family."""
    listening = await listen("localhost:0")

    assert all(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for one in listening)
    assert [one.getsockname()[0] for one in listening if one.family == socket.AF_INET] == ["127.0.0.1"]
    assert all(
        one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) for one in listening if one.family == socket.AF_INET6
    )
    close(listening)


async def test_what_cannot_be_had_is_told() -> None:
    """An address that is not ours; one that is taken, until it is free again."""
    with pytest.raises(HostdError) as foreign:
        await listen("192.0.2.1:1")
    first = await listen("127.0.0.1:0")
    address = str(address_of(first))
    with pytest.raises(HostdError) as taken:
        await listen(address)
    close(first)

    assert foreign.value.reason == "ADDRESS_REFUSED"
    assert taken.value.reason == "ADDRESS_IN_USE"
    close(await listen(address))


@pytest.mark.parametrize("address", ["..:1", f"{'a' * 64}.example:1"])
async def test_a_host_that_nobody_can_look_up_is_refused(address: str) -> None:
    """An empty label and one that is too long come no further than Python's own codec."""
    with pytest.raises(HostdError) as refused:
        await listen(address)
    assert refused.value.reason == "ADDRESS_REFUSED"
