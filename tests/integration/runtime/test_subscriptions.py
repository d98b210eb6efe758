"""Which topics triggers read, and how far each has come."""

from __future__ import annotations

from lab import NAMESPACE, Lab

from hostd.runtime.triggers.subscriptions import Subscription, subscriptions_of

READS = """
workflow: reads
triggers:
  news: {uses: event.subscribe, with: {topics: [news.*, a]}}
  hook: {uses: http.webhook, with: {path: reads}}
steps:
  a: {uses: mock.noop}
"""


async def test_a_subscription_has_its_topics_and_its_place(lab: Lab) -> None:
    """One that has taken nothing begins where it was activated; other triggers are none."""
    await lab.register(READS)
    await lab.core.triggers.start()
    await lab.until(lambda: set(lab.core.triggers.states()) == {"ACTIVE"})
    last = await lab.core.topics.last()
    found = subscriptions_of(lab.core.triggers, lab.core.clock.wall_ms())
    assert found == [Subscription(NAMESPACE, "reads", ("news.*", "a"), last)]
