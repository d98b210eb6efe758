"""`hostd explain`: reasons, keys, actions."""

import json
from typing import Any

import pytest


@pytest.mark.parametrize(
    "word,kind,says",
    [
        ("steps.retry", "workflow document", "max_attempts"),
        ("steps.fetch.retry.max_attempts", "workflow document", "Attempts, the first counted"),
        ("steps", "workflow document", "needs"),
        ("flow.wait", "workflow document", "duration"),
        ("trigger.uses", "trigger document", "trigger"),
        ("limits.watches", "configuration", "HOSTD_LIMITS__WATCHES"),
        ("journal", "configuration", "journal.store"),
        ("http.request", "action", "# http.request"),
        ("cron.every", "trigger", "# cron.every"),
    ],
)
def test_words_of_every_book(hostd: Any, word: str, kind: str, says: str) -> None:
    """Keys of documents, with or without the name of a step, of the configuration, actions and triggers."""
    assert says in hostd("explain", word).out
    pages = [json.loads(line) for line in hostd("explain", word, "-o", "json").out.splitlines()]
    assert kind in [page["kind"] for page in pages]


def test_every_key_of_documents_and_configuration_can_be_explained(hostd: Any) -> None:
    """Each that is suggested has a page with a meaning."""
    from hostd.cli.local_pages import config_page, document_page, known_names
    from hostd.host.host import PluginHost

    registry = PluginHost().load()
    for name in known_names():
        known = name in registry.actions or name in registry.triggers
        assert known or document_page(name) or config_page(name), name


def test_slips_are_answered_with_what_is_near(hostd: Any) -> None:
    """Of the reasons and of the keys."""
    assert "did you mean limits.watches?" in hostd("explain", "limits.watchs").err
    assert "did you mean triggers.if or steps.if?" in hostd("explain", "if").err
    assert "did you mean flow.wait?" in hostd("explain", "wait").err
    done = hostd("explain", "zzzzzzzz")
    assert (done.code, done.out) == (4, "")
    assert "lists the reasons" in done.err
