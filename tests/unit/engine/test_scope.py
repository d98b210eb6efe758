"""What expressions see of a run."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import Playbook, done, error, gone, start

from hostd.definition.plan import BlobNeeded
from hostd.engine.scope import RunScope, failures_of
from hostd.model.payload import BlobRef


def scope_of(book: Playbook, step: int = -1) -> RunScope:
    return RunScope(book.run, step, book.at_ms, book.blobs)


def test_roots_without_a_value_say_so(play):
    """`error` and `event` are nowhere in a step's own options; `failure` is null while nothing failed."""
    book = play(plan(step("a")))
    (book >> start({"n": 1}, key="k1", env={"HOME": "/root"})).skip()
    scope = scope_of(book)
    assert (scope.root("input"), scope.root("vars"), scope.root("env")) == ({"n": 1}, {}, {"HOME": "/root"})
    assert (scope.root("failures"), scope.root("failure")) == ([], None)
    for name in ("error", "event", "signal"):
        with pytest.raises(LookupError, match=name):
            scope.root(name)


def test_the_run_root_names_the_run(play):
    """Id, key, workflow, version, start and state, as words and RFC 3339."""
    book = play(plan(step("a")))
    (book >> start(key="k1")).skip()
    assert scope_of(book).root("run") == {
        "id": book.run.run_id, "key": "k1", "workflow": "test", "version": "1.0.0",
        "started_at": "2023-11-14T22:13:20Z", "state": "RUNNING",
    }  # fmt: skip


def test_a_step_that_has_not_ended_cannot_be_read(play):
    """Only default() can make something of it."""
    book = play(plan(step("a"), step("b")))
    (book >> start()).skip()
    with pytest.raises(LookupError, match="has not ended"):
        scope_of(book).step("a", "output")
    with pytest.raises(LookupError, match="zzz"):
        scope_of(book).step("zzz", "output")


def test_a_step_always_has_all_its_fields(play):
    """Whether it succeeded, failed or was skipped; attempts count losses too."""
    body = [step("good"), step("bad"), step("off", when="False"), step("made", "flow.pass", options={"output": [1]})]
    book = play(plan(*body, step("keep")))
    (book >> start()).skip()
    (book >> gone("good")).skip()
    (book >> done("good", {"x": 1})).skip()
    (book >> error("bad", code="C1", details=b'{"k":2}', retryable=False)).skip()
    scope = scope_of(book)
    fields = ("state", "result", "output", "attempts")
    seen = {name: [scope.step(name, field) for field in fields] for name in ("good", "bad", "off", "made")}
    assert seen == {
        "good": ["SUCCEEDED", "SUCCEEDED", {"x": 1}, 2],
        "bad": ["FAILED", "FAILED", None, 1],
        "off": ["SKIPPED", "SKIPPED", None, 0],
        "made": ["SUCCEEDED", "SUCCEEDED", [1], 0],
    }
    assert scope.step("bad", "error") == {
        "reason": "ACTION_FAILED", "code": "C1", "message": "no", "retryable": False, "details": {"k": 2}, "attempt": 1,
    }  # fmt: skip
    assert scope.step("good", "error") is None
    assert (scope.why_null("off"), scope.why_null("good")) == ("off was SKIPPED", "good SUCCEEDED with null")
    assert failures_of(book.run)[0]["step"] == "bad"


def test_a_blob_is_asked_for_only_where_it_is_looked_into(play):
    """State, result and attempts of the same step need no blob."""
    book = play(plan(step("a"), step("keep")))
    (book >> start()).skip()
    (book >> done("a", "x" * 40_000, store=False)).skip()
    scope = scope_of(book)
    assert scope.step("a", "state") == "SUCCEEDED"
    with pytest.raises(BlobNeeded):
        scope.step("a", "output")
    assert isinstance(book.run.outputs[0], BlobRef)


def test_random_seeds_hang_on_lineage_step_and_field_only(play):
    """Rendering again gives the same; another step, field or run does not; a retried run (same lineage) does."""
    book = play(plan(step("a"), step("b")))
    (book >> start()).skip()
    again = play(plan(step("a"), step("b")))
    (again >> start(lineage=book.run.run_id)).skip()
    other = play(plan(step("a"), step("b")))
    (other >> start(lineage="0" * 26)).skip()
    seed = scope_of(book, 0).seed("with.url")
    assert len(seed) == 16
    assert seed == scope_of(book, 0).seed("with.url") == scope_of(again, 0).seed("with.url")
    others = {
        scope_of(book, 1).seed("with.url"),
        scope_of(book, 0).seed("with.body"),
        scope_of(other, 0).seed("with.url"),
    }
    assert seed not in others and len(others) == 3
