"""Dead letters emitted again while the rest of the world does not stand still."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lab import Lab
from slow_journal import SlowJournal

from hostd.model.requests import LetterSelection

DOCUMENT = (
    "workflow: w\nversion: {version}\ninputs: {{type: object, properties: {{n: {{type: {type}}}}}}}\n"
    "triggers:\n  t: {{uses: mock.emit, with: {{count: 0}}}}\nsteps:\n  a: {{uses: flow.pass}}\n"
)


async def with_letters(lab: Lab, count: int) -> None:
    """Leave so many dead letters, which the version that is active by then would take."""
    await lab.register(DOCUMENT.format(version="1.0.0", type="integer"))
    await lab.core.triggers.start()
    desk = lab.core.front.triggers
    for number in range(count):
        await desk.fire("default", "w", "t", data=b'{"n": "x"}', event_id=f"e{number}", principal="me")
    await lab.register(DOCUMENT.format(version="2.0.0", type="string"))
    await lab.core.triggers.settled()


async def redrive(lab: Lab) -> Any:
    """Redrive all letters."""
    letters = lab.core.front.dead_letters
    return (await letters.redrive("default", LetterSelection(), after=0, limit=100, principal="me"))[0]


async def test_a_letter_whose_redrive_was_cut_off_is_not_emitted_twice(lab: Lab) -> None:
    """Who asked is gone while the append is under way, and asks again: the letter has one run."""
    await with_letters(lab, 2)
    slow = SlowJournal(lab)
    first = asyncio.ensure_future(redrive(lab))
    await lab.until(lambda: slow.held)
    first.cancel()
    await asyncio.wait([first])
    again = asyncio.ensure_future(redrive(lab))
    for _ in range(200):
        await asyncio.sleep(0.001)
    slow.let_go()
    results = await again

    assert first.cancelled()
    assert [view.event_id for view in results] == ["e1"]
    assert len(lab.runs()) == 2
    with pytest.raises(IndexError):
        (await redrive(lab))[0]
