"""fail_fast: what goes on beside a failure is stopped."""

from __future__ import annotations

from plans import plan, step
from playbook import cancel, done, error, pause, resume, slot, start, tick

from hostd.definition.plan import RetryPlan

RETRY = RetryPlan(initial_interval_ms=1_000, jitter=0.0)


def test_a_failure_cancels_what_goes_on_beside_it(play):
    """Waiting, retrying and unbegun steps at once, running ones when they answer."""
    wait = step("w", "flow.wait", options={"duration": "1h"})
    body = [step("bad"), step("runs"), step("retries", retry=RETRY), wait, step("later", needs="runs")]
    book = play(plan(*body, fail_fast=True))
    (book >> start()).skip()
    (book >> error("retries")).skip()
    book >> error("bad") << "bad#1 failed ACTION_FAILED" << "fail fast bad" << "retries CANCELED" << "w CANCELED"
    book << "later CANCELED" << "-> cancel runs#1"
    book >> error("runs") << "runs#1 failed ACTION_FAILED canceled" << "ended FAILED ACTION_FAILED"


def test_what_does_not_answer_is_given_up_after_the_grace_time(play):
    """Otherwise a failed run would hang on a plugin that does not listen."""
    book = play(plan(step("bad"), step("deaf"), fail_fast=True))
    (book >> start()).skip()
    (book >> error("bad")).skip()
    assert book.run.next_due_ms() == book.at_ms + 30_000
    book.later(30_000) >> tick << "deaf CANCELED" << "ended FAILED ACTION_FAILED" << "-> cancel deaf#1"


def test_a_forgiven_failure_stops_nothing(play):
    """With `on_error: continue` the result is SUCCEEDED."""
    book = play(plan(step("bad", go_on=True), step("runs"), fail_fast=True))
    (book >> start()).skip()
    book >> error("bad") << "bad#1 failed ACTION_FAILED"
    book >> done("runs") << "runs#1 succeeded" << "ended SUCCEEDED"


def test_steps_that_ask_for_a_failure_still_run_and_are_like_any_other(play):
    """failed() and always() begin, retry and fail; their failure stops nothing more."""
    body = [
        step("bad"),
        step("other"),
        step("mend", needs="bad", when="failed()", retry=RETRY),
        step("tidy", needs="other", when="always()"),
        step("join", needs="bad", when="none_failed()"),
        step("after", needs="mend", when="failed()"),
    ]
    book = play(plan(*body, fail_fast=True))
    (book >> start()).skip()
    book >> error("bad") << "bad#1 failed ACTION_FAILED" << "fail fast bad" << "join CANCELED" << "mend#1 started"
    book << "-> cancel other#1" << "-> start mend#1"
    book >> done("other") << "other#1 succeeded" << "tidy#1 started" << "-> start tidy#1"
    book >> error("mend") << "mend#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "mend#2 started" << "-> start mend#2"
    book >> error("mend", retryable=False) << "mend#2 failed ACTION_FAILED" << "after#1 started" << "-> start after#1"
    book >> done("tidy") << "tidy#1 succeeded"
    book >> done("after") << "after#1 succeeded" << "ended FAILED ACTION_FAILED"


def test_what_would_begin_in_the_same_decision_does_not(play):
    """A step that fails as the run begins holds back those behind it in the document."""
    body = [step("a"), step("bad", "flow.fail", options={"message": "x"}), step("b")]
    book = play(plan(*body, fail_fast=True))
    book >> start() << "run started" << "a#1 started" << "bad FAILED STEP_FAILED" << "b CANCELED" << "fail fast bad"
    book << "-> start a#1" << "-> cancel a#1"
    book >> done("a") << "a#1 succeeded" << "ended FAILED STEP_FAILED"


def test_a_cancel_after_a_failure_that_stops_all_is_still_a_cancel(play):
    """What runs is told again, and the run ends as CANCELED."""
    book = play(plan(step("bad"), step("deaf"), fail_fast=True))
    (book >> start()).skip()
    (book >> error("bad")).skip()
    book >> cancel << "cancel requested" << "-> cancel deaf#1"
    book >> done("deaf") << "deaf#1 succeeded" << "ended CANCELED CANCELED"


def test_a_failure_in_a_pause_stops_too(play):
    """Ending things is not starting them; held cleanup waits for the resume."""
    body = [step("bad"), step("held", needs="one"), step("one"), step("mend", needs="bad", when="failed()")]
    book = play(plan(*body, fail_fast=True))
    (book >> start()).skip()
    (book >> pause).skip()
    book >> done("one") << "one#1 succeeded" << "held ready"
    book >> error("bad") << "bad#1 failed ACTION_FAILED" << "fail fast bad" << "held CANCELED" << "mend ready"
    book >> resume << "resumed" << "mend#1 started" << "-> start mend#1"


def test_a_told_steps_deadline_is_not_waited_for(play):
    """It is CANCELED by the grace time, not FAILED by its deadline."""
    book = play(plan(step("bad"), step("slow", deadline_ms=10_000), fail_fast=True))
    (book >> start()).skip()
    (book >> error("bad")).skip()
    book.later(10_000) >> tick << "nothing"
    assert book.run.next_due_ms() == book.at_ms + 20_000
    book >> slot("slow") << "nothing"
