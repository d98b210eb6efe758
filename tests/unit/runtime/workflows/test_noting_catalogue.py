"""What a document names that is not loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from lab import Lab

from hostd.errors.base import HostdError
from hostd.runtime.workflows.noting_catalogue import NotingCatalogue

SWAPPED = {
    "ACTION_UNKNOWN": "workflow: w\nsteps:\n  a: {uses: cron.schedule}\n",
    "TRIGGER_UNKNOWN": "workflow: w\ntriggers:\n  t: {uses: http.request}\nsteps:\n  a: {uses: mock.noop}\n",
}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """Return an open lab, in memory."""
    lab = await Lab(None).open()
    yield lab
    await lab.close()


@pytest.mark.parametrize("reason", SWAPPED)
async def test_a_trigger_in_the_place_of_an_action_is_refused(lab: Lab, reason: str) -> None:
    """And the other way round: it is there, so nobody waits until it comes, or compiles again and again."""
    with pytest.raises(HostdError) as refused:
        await lab.register(SWAPPED[reason])
    assert [fault.reason for fault in refused.value.violations] == [reason]


async def test_only_what_is_nowhere_is_missing(lab: Lab) -> None:
    """Ids that are loaded, as whatever, are not awaited."""
    noting = NotingCatalogue(lab.core.host.registry)
    assert noting.action("http.request") is not None
    assert noting.action("cron.schedule") is None
    assert noting.trigger("http.request") is None
    assert noting.missing == set()
    assert noting.action("odd.nowhere") is None
    assert noting.missing == {"odd.nowhere"}
