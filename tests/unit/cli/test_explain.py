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
        ("journal", "configuration", "store"),
        ("http.request", "action", "# http.request"),
        ("cron.every", "trigger", "# cron.every"),
        ("steps.fetch.for_each", "workflow document", "NOT_YET_SUPPORTED"),
        ("handlers.failure.retry.jitter", "workflow document", "random"),
        ("inputs.properties.name", "workflow document", "JSON Schema"),
        ("retry", "workflow document", "steps.retry"),
        ("jitter", "workflow document", "defaults.retry.jitter"),
        ("if", "workflow document", "steps.if"),
        ("target", "trigger document", "order@active"),
        ("flow.wait.duration", "workflow document", "How long"),
        ("cases.at[0].signal", "case file", "told this signal"),
        ("manifest.actions.hello.file", "hostd-plugin.yaml", "script"),
        ("HOSTD_LIMITS__WATCHES", "configuration", "limits.watches"),
        ("plugins.settings.http.private", "setting of the plugin http", "loopback"),
        ("http.request.auth.token_url", "option of http.request", "tokens"),
        ("ADDRESS_DENIED", "code of a failure", "egress.allow"),
        ("HTTP_503", "code of a failure", "HTTP_<status>"),
        ("code:TIMEOUT", "code of a failure", "shell.run"),
        ("23505", "code of a failure", "PostgreSQL"),
        ("VALUE_INVALID", "code of a failure", "schema.validate"),
        ("VALUE_INVALID", "INVALID", "The message says what is taken."),
        ("size()", "function of expressions", "size(x)"),
        ("json", "function of expressions", "json.format"),
        ("event", "root of expressions", "trigger"),
        ("hostd_run_seconds_bucket", "metric (histogram)", "outcome"),
        ("StartRun", "call", "StartRunRequest"),
        ("hostd.v1.RunService/WatchRun", "call", "stream of"),
        ("RunService", "service", "TerminateRun"),
        ("runs list", "command", "List runs"),
    ],
)
def test_words_of_every_book(hostd: Any, word: str, kind: str, says: str) -> None:
    """Keys of documents, with or without the name of a step, of the configuration, actions and triggers."""
    assert says in hostd("explain", word).out
    pages = [json.loads(line) for line in hostd("explain", word, "-o", "json").out.splitlines()]
    assert kind in [page["kind"] for page in pages]


def test_every_word_that_is_suggested_has_a_page(hostd: Any) -> None:
    """Keys of every kind of document, functions, metrics, codes and calls; each page says what the word means."""
    from hostd.cli.local_pages import component_pages, key_pages, known_names
    from hostd.cli.local_words import known_words, word_pages

    for name in known_names():
        pages = key_pages(name) or component_pages(name)
        assert pages, name
        assert all(page.get("page") or page["meaning"] or page["keys"] for page in pages), name
    for word in known_words():
        assert all(page["meaning"] for page in word_pages(word)), word
        assert word_pages(word), word


def test_slips_are_answered_with_what_is_near(hostd: Any) -> None:
    """Of the reasons and of the keys; where a path leads nowhere, from where on."""
    assert "did you mean limits.watches?" in hostd("explain", "limits.watchs").err
    assert "did you mean flow.wait?" in hostd("explain", "wait").err
    lost = hostd("explain", "steps.X.retry.backoff.initial")
    assert lost.code == 4
    assert "steps.X.retry has no key 'backoff'" in lost.err
    assert "steps.X.retry.backoff_coefficient" in lost.err
    assert "steps.X.retry.initial_interval" in lost.err
    assert "http.request has no key 'urll'; did you mean http.request.url?" in hostd("explain", "http.request.urll").err
    done = hostd("explain", "zzzzzzzz")
    assert (done.code, done.out) == (4, "")
    assert "lists the reasons" in done.err


@pytest.mark.parametrize("word", ["", " ", ".", "...", "a" * 5_000, "steps." * 100, "\u0000", "ünï", "hostd", "-"])
def test_odd_words_are_no_bug(hostd: Any, word: str) -> None:
    """Whatever is asked for is found or not."""
    assert hostd("explain", word).code in (0, 4)
