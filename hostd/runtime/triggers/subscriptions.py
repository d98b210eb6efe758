"""Which topics triggers read, and how far each has come: for telling how much waits for them."""

from __future__ import annotations

from typing import NamedTuple

from hostd.errors.base import HostdError
from hostd.runtime.triggers.event_scope import EventScope
from hostd.runtime.triggers.partition_cursors import cursor_of
from hostd.runtime.triggers.trigger_source import Source
from hostd.runtime.triggers.triggers import Triggers

SUBSCRIBE = "event.subscribe"
SUBSCRIPTIONS_MAX = 500  # that are looked at


class Subscription(NamedTuple):
    """One trigger that reads topics. `after`: the position behind which is what it has not taken."""

    namespace: str
    workflow: str
    topics: tuple[str, ...]
    after: int


def subscriptions_of(triggers: Triggers, now_ms: int) -> list[Subscription]:
    """Return those that have a place; one that has taken nothing yet has the place where it began."""
    found: list[Subscription] = []
    for live in triggers.everywhere():
        source = live.source
        if source.plan.uses != SUBSCRIBE or len(found) >= SUBSCRIPTIONS_MAX:
            continue
        cursor = cursor_of(source.row.cursor, "")
        after = cursor if isinstance(cursor, int) else source.begins
        topics = _topics_of(source, now_ms)
        if after >= 0 and topics:
            found.append(Subscription(source.namespace, source.ready.plan.workflow, topics, after))
    return found


def _topics_of(source: Source, now_ms: int) -> tuple[str, ...]:
    """Return the topics as the document names them; none where a secret does, or nothing that makes sense."""
    scope = EventScope({}, now_ms=now_ms, trigger=source.scope_name, event_id="")
    try:
        options = source.plan.options.render(scope) if source.plan.options is not None else {}
    except HostdError:
        return ()
    topics = options.get("topics") if isinstance(options, dict) else None
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        return ()
    return tuple(topics)
