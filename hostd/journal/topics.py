"""Which topics a subscription names: `orders.new` one, `orders.*` all that begin with `orders.`, `*` every one.

And how much of them a page holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hostd.journal.port import EventRow


def split_topics(topics: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the topics that are named whole, each once, and the prefixes of the others; "" is every topic's."""
    prefixes = tuple(topic[:-1] for topic in topics if topic == "*" or topic.endswith(".*"))
    exact = dict.fromkeys(topic for topic in topics if topic and not (topic == "*" or topic.endswith(".*")))
    return tuple(topic for topic in exact if not covers(prefixes, topic)), prefixes


def covers(prefixes: tuple[str, ...], topic: str) -> bool:
    """Say whether a topic begins with one of the prefixes; nothing published has an empty topic."""
    return bool(topic) and topic.startswith(prefixes)


def until_full(found: Iterable[tuple[int, int, EventRow]], size_bytes: int) -> list[tuple[int, int, EventRow]]:
    """Return events up to the one that makes their bodies so large, all where it is 0; no more are asked for."""
    page: list[tuple[int, int, EventRow]] = []
    held_bytes = 0
    for item in found:
        page.append(item)
        held_bytes += len(item[2].body)
        if 0 < size_bytes <= held_bytes:
            break
    return page
