"""What goes to a plugin's process: frames in order, many in a message where the child understands that."""

from __future__ import annotations

import pytest

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.host.process.link import BATCH_BYTES, BATCH_FRAMES, FRAME_BYTES_MAX, QUEUE_BYTES_MAX, Link
from hostd.plugin.v1 import host_pb2 as pb


async def written(link: Link) -> list[pb.FromHost]:
    """Return the messages that go out, up to the one that ends it all."""
    link.close()
    messages = []
    while (message := await link.next_frame()) is not None:
        messages.append(message)
    return messages


def unpacked(messages: list[pb.FromHost]) -> list[int]:
    """Return the numbers of all frames, in their order."""
    return [frame.call for message in messages for frame in (message.batch.frames or (message,))]


@pytest.mark.parametrize("batches", [True, False])
async def test_what_has_gathered_goes_together(batches: bool) -> None:
    """Frames keep their order; a child that knows no batches gets each by itself."""
    link = Link(pb.Hello(batches=batches))
    count = BATCH_FRAMES + 2
    for number in range(1, count + 1):
        link.send(pb.FromHost(call=number, ping=pb.Ping()))
    messages = await written(link)
    assert len(messages) == (2 if batches else count)
    assert unpacked(messages) == list(range(1, count + 1))


async def test_a_batch_is_bounded_in_bytes() -> None:
    """A large frame goes by itself, whatever waits before and behind it."""
    link = Link(pb.Hello(batches=True))
    large = pb.FromHost(call=2, webhook=pb.Webhook(body=b"x" * BATCH_BYTES))
    for frame in (pb.FromHost(call=1), large, pb.FromHost(call=3)):
        link.send(frame)
    messages = await written(link)
    assert [message.call for message in messages] == [1, 2, 3]


async def test_an_answer_waits_for_room() -> None:
    """A child that asks for more than fits is answered as it reads; one that is gone keeps nobody waiting."""
    link = Link(pb.Hello())
    fits = QUEUE_BYTES_MAX // FRAME_BYTES_MAX
    large = b"x" * (FRAME_BYTES_MAX - 1_000)
    asked = [pb.FromHost(call=number, webhook=pb.Webhook(body=large)) for number in range(1, fits + 3)]
    answers = [spawn(link.reply(frame), name="answer") for frame in asked]
    written = []
    for _ in range(fits + 1):
        frame = await link.next_frame()
        assert frame is not None
        written.append(frame.call)
    link.close()
    for answer in answers:
        await answer
    assert written == list(range(1, fits + 2))


async def test_what_is_too_large_is_refused_alone() -> None:
    """A message past the bound would end the connection, for everybody who uses it."""
    link = Link(pb.Hello())
    frame = pb.FromHost(call=1, webhook=pb.Webhook(body=b"x" * FRAME_BYTES_MAX))
    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        link.send(frame)
    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        await link.reply(frame)
    link.send(pb.FromHost(call=2))
    assert [message.call for message in await written(link)] == [2]
