"""Answers of attempts: retries, losses, and answers that nobody waits for any more."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import cancel, done, error, gone, pause, resume, slot, start, tick

from hostd.definition.plan import RetryPlan
from hostd.model.messages import AttemptDone
from hostd.model.payload import OUTPUT_BYTES_MAX, BlobRef

STEADY = RetryPlan(max_attempts=3, initial_interval_ms=1_000, jitter=0.0)


def retrying(play, retry=STEADY, **more):
    """Return a playbook whose one step `a` runs its first attempt."""
    book = play(plan(step("a", retry=retry, **more)))
    (book >> start()).skip()
    return book


def test_without_retry_one_attempt_is_all(play):
    """A retryable failure of a step without `retry` ends it."""
    book = play(plan(step("a")))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "ended FAILED ACTION_FAILED"


def test_a_failed_attempt_waits_and_is_tried_again(play):
    """The wait is in the record; a Tick before its end does nothing, one at its end starts the next attempt."""
    book = retrying(play)
    book >> error("a") << "a#1 failed ACTION_FAILED retry"
    assert book.step("a") == "RETRYING"
    assert book.state == "WAITING"
    assert book.run.next_due_ms() == book.at_ms + 1_000
    book.later(999) >> tick << "nothing"
    book.later(1) >> tick << "a#2 started" << "-> start a#2"
    assert book.state == "RUNNING"
    book >> error("a") << "a#2 failed ACTION_FAILED retry"
    assert book.run.next_due_ms() == book.at_ms + 2_000


def test_max_attempts_counts_the_first(play):
    """Three attempts, then the last error is the step's."""
    book = retrying(play)
    for number in (1, 2):
        book >> error("a") << f"a#{number} failed ACTION_FAILED retry"
        book.later(9_999) >> tick << f"a#{number + 1} started" << f"-> start a#{number + 1}"
    book >> error("a", "ATTEMPT_TIMEOUT") << "a#3 failed ATTEMPT_TIMEOUT" << "ended FAILED ATTEMPT_TIMEOUT"
    assert book.run.attempts(0) == 3


def test_an_attempt_timeout_is_a_failure_like_any_other(play):
    """It is retried when it is retryable."""
    book = retrying(play)
    book >> error("a", "ATTEMPT_TIMEOUT") << "a#1 failed ATTEMPT_TIMEOUT retry"


@pytest.mark.parametrize(
    "failure",
    [
        {"retryable": False},
        {"reason": "INVALID"},
        {"code": "CARD_DECLINED"},
    ],
)
def test_what_is_not_to_be_retried_ends_the_step(play, failure):
    """Not retryable by itself, by its reason, or by its code."""
    retry = RetryPlan(non_retryable=frozenset({"INVALID"}), non_retryable_codes=frozenset({"CARD_DECLINED"}))
    book = retrying(play, retry)
    book >> error("a", **failure)
    assert book.step("a") == "FAILED"
    book.skip()


def test_jitter_is_drawn_from_the_messages_random_number_and_recorded(play):
    """uniform(1 - jitter, 1 + jitter): 0 draws the least wait."""
    book = retrying(play, RetryPlan(initial_interval_ms=1_000, jitter=0.2))
    book >> error("a", random=0.0) << "a#1 failed ACTION_FAILED retry"
    record = book.history[-1][1]
    assert (record.retry_at_ms - book.at_ms, record.jitter) == (800, 0.0)


def test_retry_after_replaces_the_wait(play):
    """Also past max_interval; and an absurd one is bounded, so that it can be recorded."""
    book = retrying(play, RetryPlan(initial_interval_ms=1_000, max_interval_ms=2_000))
    book >> error("a", retry_after_ms=60_000) << "a#1 failed ACTION_FAILED retry"
    assert book.run.next_due_ms() == book.at_ms + 60_000
    book = retrying(play)
    book >> error("a", retry_after_ms=10**30) << "a#1 failed ACTION_FAILED retry"
    assert book.run.next_due_ms() < 2**63


def test_retry_if_sees_the_error(play):
    """It decides by details; the attempt number is there too."""
    from plans import Formula

    condition = Formula("root('error')['details']['status'] == 503 and root('error')['attempt'] == 1")
    book = retrying(play, RetryPlan(jitter=0.0, condition=condition))
    book >> error("a", details=b'{"status":503}') << "a#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "a#2 started" << "-> start a#2"
    book >> error("a", details=b'{"status":503}') << "a#2 failed ACTION_FAILED" << "ended FAILED ACTION_FAILED"


@pytest.mark.parametrize("source", ["root('error')['nothing']['there']", "1"])
def test_a_broken_retry_if_fails_the_step_and_keeps_the_cause(play, source):
    """EXPRESSION_FAILED, with what the attempt itself had said."""
    from plans import Formula

    book = retrying(play, RetryPlan(condition=Formula(source)))
    book >> error("a", text="disk full") << "a#1 failed EXPRESSION_FAILED" << "ended FAILED EXPRESSION_FAILED"
    assert "disk full" in book.run.step_failures[0].message


def test_a_wait_past_the_deadline_fails_now_with_the_last_error(play):
    """Nobody waits for an attempt that could not run."""
    book = retrying(play, deadline_ms=1_500)
    book >> error("a") << "a#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "a#2 started" << "-> start a#2"
    book >> error("a", "LAST") << "a#2 failed LAST" << "ended FAILED LAST"


def test_a_wait_that_ends_with_the_deadline_is_past_it(play):
    """The next attempt would have no time at all."""
    book = retrying(play, deadline_ms=1_000)
    book >> error("a") << "a#1 failed ACTION_FAILED" << "ended FAILED ACTION_FAILED"


def test_the_deadline_counts_from_ready_and_stops_a_running_attempt(play):
    """Time in the queue counts; the attempt is told to stop and its answer is not waited for."""
    book = play(plan(step("a", deadline_ms=1_000), step("b", needs="a", when="failed()")))
    book.permits = {"test.act": 0}
    (book >> start()).skip()
    assert book.run.next_due_ms() == book.at_ms + 1_000
    book.permits = {}
    book.later(600) >> slot("a") << "a#1 started" << "-> start a#1"
    book.later(399) >> tick << "nothing"
    book.later(1) >> tick << "a FAILED DEADLINE_PASSED" << "b#1 started" << "-> cancel a#1" << "-> start b#1"
    book >> done("a") << "nothing"


def test_a_deadline_passes_while_waiting_for_a_slot_too(play):
    """A step that never began fails with DEADLINE_PASSED and no attempt."""
    book = play(plan(step("a", deadline_ms=1_000)))
    book.permits = {"test.act": 0}
    (book >> start()).skip()
    book.later(1_000) >> tick << "a FAILED DEADLINE_PASSED" << "ended FAILED DEADLINE_PASSED"
    assert book.run.attempts(0) == 0


def test_no_limit_of_attempts_goes_on_until_the_deadline(play):
    """max_attempts 0 never counts, and a huge number of tries does not overflow the wait."""
    retry = RetryPlan(max_attempts=0, initial_interval_ms=100, max_interval_ms=200, jitter=0.0)
    book = retrying(play, retry, deadline_ms=2_000)
    number = 1
    while book.state != "FAILED":
        (book >> error("a")).skip()
        number += 1
        (book.later(200) >> tick).skip()
    assert 9 <= number <= 12


def test_late_repeated_and_foreign_answers_decide_nothing(play):
    """Answers of earlier attempts, of a waiting step, of an ended step, of a step that is not there."""
    book = retrying(play)
    book >> error("a", attempt=2) << "nothing"
    book >> error("a") << "a#1 failed ACTION_FAILED retry"
    book >> error("a") << "nothing"
    book >> done("a") << "nothing"
    book.later(1_000) >> tick << "a#2 started" << "-> start a#2"
    book >> done("a", attempt=1) << "nothing"
    book >> gone("a", attempt=1) << "nothing"
    book >> AttemptDone(77, 1) << "nothing"
    book >> done("a") << "a#2 succeeded" << "ended SUCCEEDED"
    book >> done("a") << "nothing"


def test_an_output_past_16_mib_fails_the_step(play):
    """OUTPUT_TOO_LARGE is not retried, and the value is not stored."""
    book = retrying(play)
    message = AttemptDone(0, 1, BlobRef(b"x" * 32, OUTPUT_BYTES_MAX + 1))
    book >> message << "a#1 failed OUTPUT_TOO_LARGE" << "ended FAILED OUTPUT_TOO_LARGE"
    assert not book.decision.blobs


def test_a_lost_attempt_is_issued_again_and_does_not_count(play):
    """Losses never use up max_attempts, and the number of the attempt still rises."""
    book = retrying(play, RetryPlan(max_attempts=2, jitter=0.0))
    for number in range(1, 6):
        book >> gone("a", suspect=False) << f"a#{number} lost again" << f"a#{number + 1} started"
        book << f"-> start a#{number + 1}"
    book >> error("a") << "a#6 failed ACTION_FAILED retry"
    record = book.history[-1][1]
    assert record.retry_at_ms - book.at_ms == 1_000
    book.later(1_000) >> tick << "a#7 started" << "-> start a#7"
    book >> error("a") << "a#7 failed ACTION_FAILED" << "ended FAILED ACTION_FAILED"


def test_a_lost_at_most_once_attempt_is_not_issued_again(play):
    """Nobody knows whether it took effect, and the failure says so."""
    book = retrying(play)
    book >> gone("a", effects="at_most_once") << "a#1 lost FAILED OUTCOME_UNKNOWN" << "ended FAILED OUTCOME_UNKNOWN"


def test_on_lost_retry_overrides_at_most_once(play):
    """The author said that trying again is fine."""
    book = retrying(play, RetryPlan(retry_on_lost=True))
    book >> gone("a", effects="at_most_once") << "a#1 lost again" << "a#2 started" << "-> start a#2"


def test_an_attempt_lost_twice_runs_alone_and_is_failed_when_lost_alone(play):
    """The suspect of a crash: again, then alone, then ATTEMPT_LOST."""
    book = retrying(play)
    book >> gone("a") << "a#1 lost again" << "a#2 started" << "-> start a#2"
    book >> gone("a") << "a#2 lost again alone" << "-> ask a alone"
    assert book.step("a") == "READY"
    book >> slot("a") << "-> ask a alone"
    book >> slot("a", alone=True) << "a#3 started alone" << "-> start a#3 alone"
    book >> gone("a") << "a#3 lost FAILED ATTEMPT_LOST" << "ended FAILED ATTEMPT_LOST"


def test_an_attempt_that_survives_alone_is_like_any_other(play):
    """It failed by itself: the next one needs no solitude until it is lost once more."""
    book = retrying(play)
    (book >> gone("a")).skip()
    (book >> gone("a")).skip()
    (book >> slot("a", alone=True)).skip()
    book >> error("a") << "a#3 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "a#4 started" << "-> start a#4"
    book >> gone("a") << "a#4 lost again alone" << "-> ask a alone"


def test_only_what_runs_inside_the_daemon_is_a_suspect(play):
    """A worker's attempt may be lost as often as it likes."""
    book = retrying(play)
    for number in range(1, 5):
        book >> gone("a", suspect=False)
        book << f"a#{number} lost again" << f"a#{number + 1} started" << f"-> start a#{number + 1}"


def test_a_suspect_needs_no_permit_to_run_alone(play):
    """While suspects wait nothing else may start; that must not hold back the suspect itself."""
    book = retrying(play)
    (book >> gone("a")).skip()
    (book >> gone("a")).skip()
    book.permits = {"test.act": 0}
    book >> slot("a", alone=True) << "a#3 started alone" << "-> start a#3 alone"


def test_an_attempt_lost_while_paused_is_not_issued_again_before_the_resume(play):
    """Nothing new starts in a pause, not even again; nor does a suspect ask to be alone."""
    book = retrying(play)
    book >> pause << "paused"
    book >> gone("a") << "a#1 lost again"
    book >> resume << "resumed" << "a#2 started" << "-> start a#2"
    book >> pause << "paused"
    book >> gone("a") << "a#2 lost again alone"
    book >> slot("a", alone=True) << "nothing"
    book >> resume << "resumed" << "-> ask a alone"


def test_an_attempt_lost_during_a_cancel_is_canceled(play):
    """It was told to stop, and nobody issues it again."""
    book = retrying(play)
    book >> cancel << "cancel requested" << "-> cancel a#1"
    book >> gone("a") << "a#1 lost CANCELED" << "ended CANCELED CANCELED"


def test_an_attempt_that_calls_itself_canceled_without_being_told_has_failed(play):
    """Only the run knows whether it asked: a step is CANCELED by the run's will, not by a plugin's."""
    book = play(plan(step("a"), step("b", needs="a")))
    (book >> start()).skip()
    book >> error("a", canceled=True, retryable=False) << "a#1 failed ACTION_FAILED" << "b SKIPPED"
    book << "ended FAILED ACTION_FAILED"


def test_the_idle_run_waits_and_the_busy_one_runs(play):
    """WAITING means nothing ready or running, something awaited."""
    book = play(plan(step("w", "flow.wait", options={"duration": "1h"}), step("a", retry=STEADY)))
    (book >> start()).skip()
    assert book.state == "RUNNING"
    (book >> error("a")).skip()
    assert book.state == "WAITING"
    (book.later(1_000) >> tick).skip()
    assert book.state == "RUNNING"
    (book >> done("a")).skip()
    assert book.state == "WAITING"
