"""Begin, cancel, terminate, pause, resume and the clocks of a run."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import NOTHING, blob_of, cancel, done, error, gone, pause, resume, slot, start, terminate, tick

from hostd.definition.plan import RetryPlan
from hostd.errors.base import HostdError
from hostd.model.messages import Cancel, Terminate
from hostd.model.states import RunState

RETRY = RetryPlan(initial_interval_ms=1_000, jitter=0.0)


def test_vars_are_computed_once_and_see_the_run_and_each_other(play):
    """They are in the first record, under the number rule, and see input, run, env and the vars above."""
    variables = {
        "double": "=root('input')['n'] * 2.0",
        "whole": "=str(root('vars')['double'])",
        "run": "=root('run')['id']",
        "home": "=root('env')['HOME']",
        "dice": "=str(seed('dice'))",
    }
    book = play(plan(step("a", options={"v": "=root('vars')"}), variables=variables))
    book >> start({"n": 2}, env={"HOME": "/root"}) << "run started" << "a#1 started" << "-> start a#1"
    seen = book.decision.commands[0].options["v"]
    assert seen["double"] == 4 and type(seen["double"]) is int
    assert (seen["whole"], seen["run"], seen["home"]) == ("4", book.run.run_id, "/root")
    other = play(plan(step("a", options={"v": "=root('vars')"}), variables=variables))
    (other >> start({"n": 2}, env={"HOME": "/root"}, lineage="0" * 26)).skip()
    assert other.decision.commands[0].options["v"]["dice"] != seen["dice"], "random numbers hang on the lineage"


def test_vars_that_cannot_be_computed_refuse_the_start(play):
    """Nothing is recorded."""
    book = play(plan(step("a"), variables={"x": "=root('input')['missing']"}))
    with pytest.raises(HostdError, match="EXPRESSION_FAILED"):
        book >> start({})


def test_vars_look_into_an_input_that_is_a_blob_of_the_same_message(play):
    """The input is stored by the decision that reads it."""
    value = {"text": "x" * 40_000, "n": 7}
    book = play(plan(step("a"), variables={"n": "=root('input')['n']"}))
    book >> start(value) << "run started" << "a#1 started" << "-> start a#1"
    assert [blob.digest for blob in book.decision.blobs] == [blob_of(value).digest]
    assert book.run.vars == b'{"n":7}'


def test_cancel_ends_what_waits_and_tells_what_runs(play):
    """Never begun, waiting and retrying steps are CANCELED at once; running ones when they answer."""
    wait = step("wait", "flow.wait", options={"duration": "1h"})
    book = play(plan(step("runs"), step("retries", retry=RETRY), wait, step("later", needs="runs")))
    (book >> start()).skip()
    (book >> error("retries")).skip()
    (
        book
        >> cancel
        << "cancel requested"
        << "retries CANCELED"
        << "wait CANCELED"
        << "later CANCELED"
        << "-> cancel runs#1"
    )
    assert book.state == "CANCELING"
    book >> cancel << "nothing"
    book >> pause << "nothing"
    book >> error("runs") << "runs#1 failed ACTION_FAILED canceled" << "ended CANCELED CANCELED"
    assert set(book.steps().values()) == {"CANCELED"}


def test_a_success_that_comes_after_a_cancel_is_still_recorded(play):
    """What is recorded first holds, and what really happened is not denied; the run is CANCELED all the same."""
    book = play(plan(step("a")))
    (book >> start()).skip()
    book >> Cancel(reason="enough") << "cancel requested" << "-> cancel a#1"
    book >> done("a", 5) << "a#1 succeeded" << "ended CANCELED CANCELED"
    assert (book.run.message, book.run.outputs[0]) == ("enough", b"5")


def test_after_the_grace_time_nobody_waits_for_an_answer(play):
    """The step is CANCELED without one, and the late answer changes nothing."""
    book = play(plan(step("a")))
    (book >> start()).skip()
    book >> Cancel(grace_ms=500) << "cancel requested" << "-> cancel a#1"
    assert book.run.next_due_ms() == book.at_ms + 500
    book.later(499) >> tick << "nothing"
    book.later(1) >> tick << "a CANCELED" << "ended CANCELED CANCELED" << "-> cancel a#1"
    book >> done("a") << "nothing"


def test_steps_that_say_always_or_canceled_run_after_a_cancel(play):
    """They begin when their needs have ended, retry and fail like any other, and do not change the outcome."""
    body = [
        step("a"),
        step("clean", needs="a", when="always()", retry=RETRY),
        step("note", needs="clean", when="canceled()"),
        step("never", needs="clean"),
    ]
    book = play(plan(*body))
    (book >> start()).skip()
    book >> cancel << "cancel requested" << "never CANCELED" << "-> cancel a#1"
    book >> error("a") << "a#1 failed ACTION_FAILED canceled" << "clean#1 started" << "-> start clean#1"
    book >> error("clean") << "clean#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "clean#2 started" << "-> start clean#2"
    book >> gone("clean") << "clean#2 lost again" << "clean#3 started" << "-> start clean#3"
    book >> error("clean", retryable=False) << "clean#3 failed ACTION_FAILED" << "note#1 started" << "-> start note#1"
    book >> done("note") << "note#1 succeeded" << "ended CANCELED CANCELED"
    assert book.step("clean") == "FAILED"


def test_the_grace_time_is_for_what_was_told_and_not_for_cleanup(play):
    """A cleanup step that began after the cancel outlives the grace time and is not woken for it again and again."""
    book = play(plan(step("a"), step("clean", needs="a", when="always()")))
    (book >> start()).skip()
    (book >> cancel).skip()
    (book >> done("a")).skip()
    cleanup_at_ms = book.at_ms + 300_000
    assert book.run.next_due_ms() == cleanup_at_ms
    book.later(30_000) >> tick << "nothing"
    assert book.step("clean") == "RUNNING"
    book.later(270_000) >> tick << "clean CANCELED" << "ended CANCELED CANCELED" << "-> cancel clean#1"


def test_a_cleanup_step_that_waits_for_a_slot_still_runs_after_a_cancel(play):
    """READY without an attempt has not begun: always() holds for it."""
    book = play(plan(step("a", when="always()"), step("b")))
    book.permits = {"test.act": 0}
    (book >> start()).skip()
    book >> cancel << "cancel requested" << "b CANCELED"
    book.permits = {}
    book >> slot("a") << "a#1 started" << "-> start a#1"
    book >> done("a") << "a#1 succeeded" << "ended CANCELED CANCELED"


def test_a_cleanup_step_that_has_begun_is_canceled_like_any_other(play):
    """READY after a lost attempt has begun: always() is for steps that have not."""
    book = play(plan(step("a", when="always()")))
    (book >> start()).skip()
    (book >> gone("a")).skip()
    book >> gone("a") << "a#2 lost again alone" << "-> ask a alone"
    book >> cancel << "cancel requested" << "a CANCELED" << "ended CANCELED CANCELED"
    assert book.run.attempts(0) == 2


def test_a_cancel_ends_a_pause_and_lets_held_cleanup_begin(play):
    """Otherwise nobody would ever start it."""
    book = play(plan(step("a"), step("clean", needs="a", when="always()")))
    (book >> start()).skip()
    (book >> pause).skip()
    book >> done("a") << "a#1 succeeded" << "clean ready"
    book >> cancel << "cancel requested" << "clean#1 started" << "-> start clean#1"
    assert book.state == "CANCELING"


def test_the_cleanup_time_ends_everything_that_is_left(play):
    """Steps that had not begun and handlers do not begin any more."""
    body = [step("a"), step("clean", needs="a", when="always()"), step("after", needs="clean", when="always()")]
    book = play(plan(*body, handlers={"cancel": step("x")}, cleanup_timeout_ms=10_000))
    (book >> start()).skip()
    (book >> cancel).skip()
    (book >> done("a")).skip()
    book.later(10_000) >> tick << "clean CANCELED" << "after CANCELED" << "cancel CANCELED" << "ended CANCELED CANCELED"
    book << "-> cancel clean#1"


def test_the_run_timeout_stops_like_a_cancel_with_its_own_outcome(play):
    """TIMED_OUT with RUN_TIMEOUT; always() and canceled() are true after it."""
    body = [step("a"), step("clean", needs="a", when="canceled()"), step("b", needs="a")]
    book = play(plan(*body, timeout_ms=60_000))
    (book >> start()).skip()
    assert book.run.next_due_ms() == book.at_ms + 60_000
    book.later(60_000) >> tick << "run timed out" << "b CANCELED" << "-> cancel a#1"
    assert book.state == "CANCELING"
    book >> cancel << "nothing"
    book.later(30_000) >> tick << "a CANCELED" << "clean#1 started" << "-> cancel a#1" << "-> start clean#1"
    book >> done("clean") << "clean#1 succeeded" << "ended TIMED_OUT RUN_TIMEOUT"


def test_an_end_before_the_timeout_leaves_nothing_due(play):
    """A final run waits for no time and hears no message."""
    book = play(plan(step("a"), timeout_ms=60_000))
    (book >> start()).skip()
    (book >> done("a")).skip()
    assert book.run.next_due_ms() == 0
    for message in (tick, cancel, terminate, pause, resume):
        book.later(60_000) >> message << NOTHING


def test_terminate_ends_at_once_and_runs_nothing(play):
    """No handler, no cleanup; what runs is told, and what it answers is not heard."""
    body = [step("a"), step("clean", needs="a", when="always()")]
    book = play(plan(*body, handlers={"cancel": step("x"), "exit": step("y")}))
    (book >> start()).skip()
    book >> Terminate(reason="now") << "terminated" << "-> cancel a#1"
    assert (book.run.state, book.run.reason, book.run.message) == (RunState.CANCELED, "TERMINATED", "now")
    assert set(book.steps().values()) == {"CANCELED"}
    assert book.run.attempts(0) == 1
    book >> done("a") << "nothing"


def test_terminate_ends_handlers_and_cancels_too(play):
    """It is the last word in whatever state."""
    book = play(plan(step("a"), handlers={"cancel": step("x")}))
    (book >> start()).skip()
    (book >> cancel).skip()
    (book >> done("a")).skip()
    assert book.step("cancel") == "RUNNING"
    book >> terminate << "terminated" << "-> cancel cancel#1"


def test_in_a_pause_nothing_starts_and_what_runs_is_recorded(play):
    """Steps become READY; the resume starts them in order."""
    book = play(plan(step("a"), step("b", needs="a"), step("c", needs="a"), step("no", needs="a", when="False")))
    (book >> start()).skip()
    book >> pause << "paused"
    assert book.state == "PAUSED"
    book >> pause << "nothing"
    book >> done("a") << "a#1 succeeded" << "b ready" << "c ready" << "no SKIPPED"
    assert book.state == "PAUSED"
    book >> slot("b") << "nothing"
    book >> resume << "resumed" << "b#1 started" << "c#1 started" << "-> start b#1" << "-> start c#1"
    book >> resume << "nothing"


def test_due_timers_wait_for_the_end_of_a_pause(play):
    """Waits and retries that became due happen with the resume, in its decision."""
    wait = step("w", "flow.wait", options={"duration": "10s"})
    book = play(plan(wait, step("a", retry=RETRY), step("next", needs="w")))
    (book >> start()).skip()
    (book >> error("a")).skip()
    book >> pause << "paused"
    assert book.run.next_due_ms() == 0
    book.later(60_000) >> tick << "nothing"
    (
        book
        >> resume
        << "resumed"
        << "w waited"
        << "a#2 started"
        << "next#1 started"
        << "-> start a#2"
        << "-> start next#1"
    )


def test_a_tick_for_another_reason_does_not_wake_what_is_held(play):
    """A deadline passes in a pause; the wait and the retry that are due by then stay."""
    wait = step("w", "flow.wait", options={"duration": "10s"})
    book = play(plan(wait, step("a", retry=RETRY), step("late", deadline_ms=20_000)))
    (book >> start()).skip()
    (book >> error("a")).skip()
    (book >> pause).skip()
    book.later(20_000) >> tick << "late FAILED DEADLINE_PASSED" << "-> cancel late#1"
    assert (book.step("w"), book.step("a")) == ("WAITING", "RETRYING")


def test_a_resume_before_they_are_due_leaves_timers_as_they_were(play):
    """A pause does not prolong a wait."""
    book = play(plan(step("w", "flow.wait", options={"duration": "10s"})))
    (book >> start()).skip()
    due_at_ms = book.at_ms + 10_000
    (book >> pause).skip()
    book.later(5_000) >> resume << "resumed"
    assert book.run.next_due_ms() == due_at_ms
    assert book.state == "WAITING"


def test_run_timeout_and_deadlines_go_on_in_a_pause(play):
    """A pause stops new work, not the clock."""
    book = play(plan(step("a", deadline_ms=1_000), step("b"), timeout_ms=5_000))
    (book >> start()).skip()
    (book >> pause).skip()
    book.later(1_000) >> tick << "a FAILED DEADLINE_PASSED" << "-> cancel a#1"
    book.later(4_000) >> tick << "run timed out" << "-> cancel b#1"
    assert book.state == "CANCELING"


def test_a_run_whose_last_step_ends_in_a_pause_waits_with_its_handlers(play):
    """A handler is new work; without one the run is simply over."""
    book = play(plan(step("a"), handlers={"success": step("x")}))
    (book >> start()).skip()
    (book >> pause).skip()
    book >> done("a") << "a#1 succeeded" << "outcome SUCCEEDED" << "success ready"
    assert book.state == "PAUSED"
    book >> resume << "resumed" << "success#1 started" << "-> start success#1"
    book >> done("success") << "success#1 succeeded" << "ended SUCCEEDED"


def test_the_engines_own_steps_wait_for_the_resume_too(play):
    """A flow.wait that is held by a pause begins to count when it begins."""
    book = play(plan(step("a"), step("w", "flow.wait", needs="a", options={"duration": "10s"})))
    (book >> start()).skip()
    (book >> pause).skip()
    book >> done("a") << "a#1 succeeded" << "w ready"
    book.later(60_000) >> resume << "resumed" << "w waits"
    assert book.run.next_due_ms() == book.at_ms + 10_000
