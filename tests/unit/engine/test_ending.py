"""How a run ends: outcome, output, handlers, walls."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import cancel, done, error, gone, pause, resume, start, tick

from hostd.definition.plan import RetryPlan
from hostd.engine import ending
from hostd.model.messages import AttemptDone
from hostd.model.payload import BlobRef

SEEN = {"state": "=root('run')['state']", "failures": "=root('failures')", "failure": "=root('failure')"}


def handlers(*names):
    """Return handlers that tell what they see."""
    return {name: step("x", options=SEEN) for name in names}


def seen(book):
    """Return what the handler that was just started sees."""
    return book.decision.commands[-1].options


def test_the_output_is_evaluated_on_success(play):
    """It reads any step, for all have ended."""
    book = play(plan(step("a"), step("b"), output={"sum": "=output('a') + output('b')"}))
    (book >> start()).skip()
    (book >> done("a", 1)).skip()
    book >> done("b", 2) << "b#1 succeeded" << "ended SUCCEEDED"
    assert book.run.output == b'{"sum":3}'


def test_the_output_is_not_evaluated_on_failure(play):
    """The failure is what is told, not what it made impossible."""
    book = play(plan(step("a"), output="=output('a')['x']"))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "ended FAILED ACTION_FAILED"
    assert book.run.message == "a: no"


def test_an_error_in_the_output_fails_the_run(play):
    """OUTPUT_INVALID, and the failure handler sees it as the run's own failure."""
    book = play(plan(step("a"), output="=output('a')['x']", handlers=handlers("failure", "success")))
    (book >> start()).skip()
    (
        book
        >> done("a", {})
        << "a#1 succeeded"
        << "outcome FAILED OUTPUT_INVALID"
        << "failure#1 started"
        << "-> start failure#1"
    )
    failure = seen(book)["failure"]
    assert (failure["reason"], failure["step"]) == ("OUTPUT_INVALID", "")
    assert "output('a')['x']" in failure["message"]
    book >> done("failure") << "failure#1 succeeded" << "ended FAILED"


def test_an_output_that_looks_into_a_blob_asks_for_it_once(play):
    """The whole decision is made again, and the large output is stored once."""
    book = play(plan(step("a"), output="=output('a')"))
    (book >> start()).skip()
    book >> done("a", "x" * 40_000) << "a#1 succeeded" << "ended SUCCEEDED"
    assert len({blob.digest for blob in book.decision.blobs}) == 1


@pytest.mark.parametrize(("how", "name", "state"), [("done", "success", "SUCCEEDED"), ("error", "failure", "FAILED")])
def test_the_outcomes_handler_runs_and_then_exit(play, how, name, state):
    """Only then is the run final, and handlers see the outcome as `run.state`. What does not run is SKIPPED."""
    book = play(plan(step("a"), handlers=handlers("success", "failure", "cancel", "exit")))
    (book >> start()).skip()
    (book >> (done("a") if how == "done" else error("a"))).skip()
    assert (book.step(name), seen(book)["state"], book.state) == ("RUNNING", state, "RUNNING")
    book >> done(name) << f"{name}#1 succeeded" << "exit#1 started" << "-> start exit#1"
    assert seen(book)["state"] == state
    book >> done("exit") << "exit#1 succeeded" << f"ended {state}"
    others = {"success", "failure", "cancel"} - {name}
    assert {book.step(other) for other in others} == {"SKIPPED"}


def test_a_cancel_runs_the_cancel_handler(play):
    """After the body has ended, while the run is CANCELING."""
    book = play(plan(step("a"), handlers=handlers("cancel", "success", "exit")))
    (book >> start()).skip()
    (book >> cancel).skip()
    book >> done("a") << "a#1 succeeded" << "outcome CANCELED CANCELED" << "cancel#1 started" << "-> start cancel#1"
    assert (book.state, seen(book)["state"], seen(book)["failures"]) == ("CANCELING", "CANCELED", [])
    book >> done("cancel") << "cancel#1 succeeded" << "exit#1 started" << "-> start exit#1"
    book >> done("exit") << "exit#1 succeeded" << "ended CANCELED"


def test_a_timeout_runs_the_failure_handler_with_run_timeout(play):
    """Also behind a step's failure, which came first; `failure.step` can be read in either case."""
    book = play(plan(step("a"), timeout_ms=1_000, handlers=handlers("failure")))
    (book >> start()).skip()
    (book.later(1_000) >> tick).skip()
    (book >> done("a")).skip()
    assert (seen(book)["failure"]["reason"], seen(book)["failure"]["step"]) == ("RUN_TIMEOUT", "")
    assert seen(book)["state"] == "TIMED_OUT"
    (book >> done("failure")).skip()

    book = play(plan(step("a"), step("b"), timeout_ms=1_000, handlers=handlers("failure")))
    (book >> start()).skip()
    (book >> error("a")).skip()
    (book.later(1_000) >> tick).skip()
    (book >> done("b")).skip()
    assert [entry["reason"] for entry in seen(book)["failures"]] == ["ACTION_FAILED", "RUN_TIMEOUT"]
    (book >> done("failure") << "failure#1 succeeded" << "ended TIMED_OUT")


def test_failures_stand_in_record_order(play):
    """The first to fail is `failure`; a failure that `on_error: continue` forgave is not among them."""
    body = [step("a"), step("b"), step("c", go_on=True)]
    book = play(plan(*body, handlers=handlers("failure")))
    (book >> start()).skip()
    (book >> error("c")).skip()
    (book >> error("b", "SECOND")).skip()
    (book >> error("a", "FIRST")).skip()
    assert [(entry["step"], entry["reason"]) for entry in seen(book)["failures"]] == [("b", "SECOND"), ("a", "FIRST")]
    (book >> done("failure") << "failure#1 succeeded" << "ended FAILED")


def test_a_failed_handler_changes_nothing_else(play):
    """The outcome stays, `exit` still runs, and sees HANDLER_FAILED."""
    book = play(plan(step("a"), handlers=handlers("success", "exit")))
    (book >> start()).skip()
    (book >> done("a")).skip()
    (
        book
        >> error("success", text="no mail")
        << "success#1 failed ACTION_FAILED"
        << "exit#1 started"
        << "-> start exit#1"
    )
    failures = seen(book)["failures"]
    assert [(entry["step"], entry["reason"], entry["message"]) for entry in failures] == [
        ("success", "HANDLER_FAILED", "ACTION_FAILED: no mail")
    ]
    book >> done("exit") << "exit#1 succeeded" << "ended SUCCEEDED"


def test_a_handler_is_a_step_with_retries_condition_and_losses(play):
    """It is retried, issued again when lost, and skipped by its `if`."""
    retry = RetryPlan(initial_interval_ms=1_000, jitter=0.0)
    exits = step("x", when="root('run')['state'] == 'SUCCEEDED'")
    book = play(plan(step("a"), handlers={"failure": step("x", retry=retry), "exit": exits}))
    (book >> start()).skip()
    (book >> error("a")).skip()
    book >> error("failure") << "failure#1 failed ACTION_FAILED retry"
    book.later(1_000) >> tick << "failure#2 started" << "-> start failure#2"
    book >> gone("failure") << "failure#2 lost again" << "failure#3 started" << "-> start failure#3"
    book >> done("failure") << "failure#3 succeeded" << "exit SKIPPED" << "ended FAILED"


@pytest.mark.parametrize(
    ("how", "when", "runs"),
    [
        ("done", "failed()", False),
        ("done", "succeeded()", True),
        ("error", "failed()", True),
        ("error", "none_failed()", False),
        ("cancel", "canceled()", True),
        ("cancel", "failed()", False),
    ],
)
def test_in_a_handler_status_functions_look_at_the_run(play, how, when, runs):
    """A handler has no needs: what succeeded or failed is the run."""
    book = play(plan(step("a"), handlers={"exit": step("x", when=when)}))
    (book >> start()).skip()
    if how == "cancel":
        (book >> cancel).skip()
    (book >> (error("a") if how == "error" else done("a"))).skip()
    assert (book.step("exit") == "RUNNING") is runs


def test_handlers_are_given_up_when_their_time_is_over(play):
    """`cleanup_timeout` bounds them after any outcome; the next one does not begin."""
    book = play(plan(step("a"), handlers=handlers("success", "exit"), cleanup_timeout_ms=10_000))
    (book >> start()).skip()
    (book >> done("a")).skip()
    assert book.run.next_due_ms() == book.at_ms + 10_000
    book.later(10_000) >> tick << "success CANCELED" << "exit CANCELED" << "ended SUCCEEDED" << "-> cancel success#1"


def test_a_handler_can_wait(play):
    """Any step may be a handler."""
    book = play(plan(step("a"), handlers={"success": step("x", "flow.wait", options={"duration": "5s"})}))
    (book >> start()).skip()
    book >> done("a") << "a#1 succeeded" << "outcome SUCCEEDED" << "success waits"
    book.later(5_000) >> tick << "success waited" << "ended SUCCEEDED"


def test_a_run_without_anything_to_do_ends_as_it_begins(play):
    """Begin and end in one decision."""
    book = play(plan(step("a", "flow.pass")))
    book >> start() << "run started" << "a SUCCEEDED" << "ended SUCCEEDED"


@pytest.mark.parametrize("wall", ["bytes", "values"])
def test_a_run_whose_values_pass_the_limit_fails(play, monkeypatch, wall):
    """RUN_TOO_LARGE: the body stops, the failure handler runs and sees why."""
    monkeypatch.setattr(ending, {"bytes": "RUN_BYTES_MAX", "values": "RUN_VALUES_MAX"}[wall], 1)
    book = play(plan(step("a"), step("b"), step("c", needs="a b"), handlers=handlers("failure")))
    (book >> start(1)).skip()
    message = AttemptDone(0, 1, BlobRef(b"x" * 32, 2))
    book >> message << "a#1 succeeded" << "outcome FAILED RUN_TOO_LARGE" << "c CANCELED" << "-> cancel b#1"
    book >> done("b") << "b#1 succeeded" << "failure#1 started" << "-> start failure#1"
    assert seen(book)["failure"]["reason"] == "RUN_TOO_LARGE"
    book >> done("failure") << "failure#1 succeeded" << "ended FAILED"


def test_a_history_at_its_wall_ends_in_good_order(play, monkeypatch):
    """Pausing and resuming without end fills a history too; the run fails with its handler, inside the limit."""
    monkeypatch.setattr(ending, "RUN_RECORDS_MAX", 1_100)
    book = play(plan(step("a"), step("b", needs="a"), handlers=handlers("failure")))
    (book >> start()).skip()
    while not book.run.outcome:
        (book >> pause).skip()
        (book >> resume).skip()
    (book >> done("a")).skip()
    (book >> done("failure")).skip()
    assert (book.state, book.run.reason) == ("FAILED", "RUN_TOO_LARGE")
    assert len(book.history) < 1_100


def test_cleanup_cannot_write_past_the_wall_either(play, monkeypatch):
    """A cleanup step that is retried without end after a cancel is given up, and the run ends."""
    monkeypatch.setattr(ending, "RUN_RECORDS_MAX", 1_100)
    retry = RetryPlan(max_attempts=0, initial_interval_ms=1, max_interval_ms=1)
    book = play(plan(step("a"), step("clean", needs="a", when="always()", retry=retry), handlers=handlers("cancel")))
    (book >> start()).skip()
    (book >> cancel).skip()
    (book >> done("a")).skip()
    while book.state == "CANCELING":
        (book >> error("clean")).skip()
        (book.later(1) >> tick).skip()
    assert (book.state, len(book.history) <= 1_100) == ("CANCELED", True)
    assert book.step("cancel") == "CANCELED"
