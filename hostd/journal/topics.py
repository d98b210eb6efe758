"""Which topics a subscription names: `orders.new` one, `orders.*` all that begin with `orders.`, `*` every one."""

from __future__ import annotations

from collections.abc import Sequence


def split_topics(topics: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the topics that are named whole, each once, and the prefixes of the others; "" is every topic's."""
    prefixes = tuple(topic[:-1] for topic in topics if topic == "*" or topic.endswith(".*"))
    exact = dict.fromkeys(topic for topic in topics if topic and not (topic == "*" or topic.endswith(".*")))
    return tuple(topic for topic in exact if not covers(prefixes, topic)), prefixes


def covers(prefixes: tuple[str, ...], topic: str) -> bool:
    """Say whether a topic begins with one of the prefixes; nothing published has an empty topic."""
    return bool(topic) and topic.startswith(prefixes)
