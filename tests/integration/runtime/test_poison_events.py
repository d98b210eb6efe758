"""Subscriptions that meet events they cannot use, and retention that passes while they stand still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lab import NAMESPACE, Lab

from hostd.journal.port import Retention
from hostd.plugin import Event

LISTENS = """
workflow: listener
triggers:
  heard:
    uses: event.subscribe
    with: {topics: [p]}
    if: event.data.total > 10
    key: ${{ event.data.key }}
    input: {total: "${{ event.data.total }}", copies: ["${{ event.data.text }}", "${{ event.data.text }}"]}
inputs:
  type: object
  properties: {total: {type: integer}, copies: {type: array}}
steps:
  a: {uses: flow.pass}
"""
GOOD = {"total": 20, "text": ""}
POISON: list[Any] = [
    None,
    "words",
    [],
    {"total": "many"},
    {"total": None, "text": "", "key": "k"},
    {"total": 20, "text": ""},
    {"total": 20, "text": "", "key": {}},
    {"total": 20, "text": "", "key": "k" * 5_000},
    {"total": 20.5, "text": "", "key": "k"},
    {"total": 20, "text": "x" * 900_000, "key": "k"},
]


async def publish(lab: Lab, *data: Any) -> int:
    """Publish at once; return the last position."""
    now = datetime.now(UTC)
    events = [
        ("p", Event(id=str(number), source=f"/{now}", type="t", time=now, data=one)) for number, one in enumerate(data)
    ]
    return (await lab.core.topics.publish(NAMESPACE, events))[-1]


async def test_poison_goes_to_the_dead_letters_and_holds_nothing_up(lab: Lab) -> None:
    """Whatever an event is, the one behind it starts its run, once, and the trigger has failed nowhere."""
    await lab.core.triggers.start()
    await lab.register(LISTENS)
    for number, poison in enumerate(POISON):
        await publish(lab, GOOD | {"key": f"before{number}"}, poison, GOOD | {"key": f"behind{number}"})
    await lab.until(lambda: len(lab.runs()) == 2 * len(POISON))
    live = lab.trigger("listener", "heard")
    reasons = [letter.reason for _, _, letter in lab.core.journal.dead_letters(NAMESPACE)]
    assert (live.state, live.restarts) == ("ACTIVE", 0)
    assert reasons == [*["EXPRESSION_FAILED"] * 6, "KEY_INVALID", "KEY_INVALID", "INPUT_INVALID", "PAYLOAD_TOO_LARGE"]


async def test_retention_during_a_pause_leaves_what_is_kept(lab: Lab) -> None:
    """Events that went while the trigger stood still are not read; those behind them are, once, and letters stay."""
    await lab.core.triggers.start()
    await lab.register(LISTENS)
    await publish(lab, GOOD | {"key": "first"}, None)
    await lab.until(lambda: lab.core.journal.dead_letters(NAMESPACE))
    name = (NAMESPACE, "listener", "heard")
    await lab.core.triggers.pause(name, "")
    await publish(lab, *(GOOD | {"key": f"gone{number}"} for number in range(5)))
    while lab.core.journal.prune(now_ms=1 << 52, retention=Retention(runs_ms=0, dead_letters_ms=0)):
        pass
    await lab.restart()
    await lab.core.triggers.start()
    last = await publish(lab, *(GOOD | {"key": f"kept{number}"} for number in range(3)))
    await lab.core.triggers.resume(name)
    await lab.until(lambda: lab.trigger("listener", "heard").source.row.cursor == str(last).encode())
    await lab.until(lambda: sorted(row.key for row in lab.runs()) == ["first", "kept0", "kept1", "kept2"])
    assert len(lab.core.journal.dead_letters(NAMESPACE)) == 1
