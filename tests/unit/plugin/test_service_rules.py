"""What is allowed in names, and which subscriptions see a topic."""

from __future__ import annotations

from itertools import product

from hostd.plugin.service_rules import covering, covers


def test_what_can_name_a_topic_is_what_sees_it() -> None:
    """Everything that covers a topic is named, and nothing else: readers are woken by it."""
    words = ("a", "ab", "b")
    topics = [".".join(parts) for count in (1, 2, 3) for parts in product(words, repeat=count)]
    wanted = ["*", *topics, *(f"{topic}.*" for topic in topics)]
    for topic in topics:
        assert sorted(covering(topic)) == sorted(one for one in wanted if covers([one], topic))
