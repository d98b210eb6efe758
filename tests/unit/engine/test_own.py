"""The steps the engine does itself."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import START_MS, cancel, done, start, terminate, tick

from hostd.model.secrets import SecretRef, SecretText
from hostd.model.states import RunState
from hostd.values.times import format_time_ms


def test_a_wait_by_duration_ends_when_it_is_due(play):
    """It has no attempts and its output is null."""
    book = play(plan(step("w", "flow.wait", options={"duration": "1h30m"}), output="=output('w')"))
    book >> start() << "run started" << "w waits"
    assert (book.state, book.run.next_due_ms()) == ("WAITING", START_MS + 5_400_000)
    book.later(5_399_999) >> tick << "nothing"
    book.later(1) >> tick << "w waited" << "ended SUCCEEDED"
    assert (book.run.attempts(0), book.run.output) == (0, b"null")


def test_a_wait_until_a_time(play):
    """The time may come from an expression; one that has passed does not wait."""
    until = step("w", "flow.wait", options={"until": "=root('input')['at']"})
    book = play(plan(until))
    book >> start({"at": format_time_ms(START_MS + 1_000)}) << "run started" << "w waits"
    book.later(1_000) >> tick << "w waited" << "ended SUCCEEDED"
    book = play(plan(until))
    book >> start({"at": format_time_ms(START_MS)}) << "run started" << "w SUCCEEDED" << "ended SUCCEEDED"


@pytest.mark.parametrize(
    "options", [{"duration": "soon"}, {"duration": 5}, {"duration": "200y"}, {"until": "tomorrow"}, {"until": None}, {}]
)
def test_a_wait_that_makes_no_sense_fails_its_step(play, options):
    """What an expression gave is checked when it is there."""
    book = play(plan(step("w", "flow.wait", options=options)))
    book >> start() << "run started" << "w FAILED OPTION_INVALID" << "ended FAILED OPTION_INVALID"


def test_pass_gives_its_output(play):
    """At once, without an attempt, and a large one as a blob."""
    book = play(plan(step("a", "flow.pass", options={"output": {"n": "=root('input')['n']"}}), output="=output('a')"))
    book >> start({"n": 3}) << "run started" << "a SUCCEEDED" << "ended SUCCEEDED"
    assert book.run.output == b'{"n":3}'
    book = play(plan(step("a", "flow.pass", options={"output": "x" * 40_000}), output="=len(output('a'))"))
    book >> start() << "run started" << "a SUCCEEDED" << "ended SUCCEEDED"
    assert (len(book.decision.blobs), book.run.output) == (1, b"40000")


@pytest.mark.parametrize("secret", [SecretRef("token"), SecretText(("Bearer ", SecretRef("token")))])
@pytest.mark.parametrize(
    ("uses", "field"), [("flow.pass", "output"), ("flow.fail", "message"), ("flow.end", "message")]
)
def test_a_secret_never_becomes_text_of_a_record(play, secret, uses, field):
    """The step fails once, before it decided anything."""
    book = play(plan(step("a", uses, options={field: secret})))
    book >> start() << "run started" << "a FAILED PAYLOAD_INVALID" << "ended FAILED PAYLOAD_INVALID"


def test_fail_fails_its_step_with_words_of_its_own(play):
    """STEP_FAILED with message, code and details, seen by what comes after."""
    options = {"message": "too dear", "code": "PRICE", "details": {"usd": "=root('input')['usd']"}}
    tell = {"error": "=error('a')"}
    book = play(plan(step("a", "flow.fail", options=options), step("b", needs="a", when="failed()", options=tell)))
    book >> start({"usd": 9}) << "run started" << "a FAILED STEP_FAILED" << "b#1 started" << "-> start b#1"
    assert book.decision.commands[0].options["error"] == {
        "reason": "STEP_FAILED", "code": "PRICE", "message": "too dear", "retryable": False,
        "details": {"usd": 9}, "attempt": 0,
    }  # fmt: skip
    book >> done("b") << "b#1 succeeded" << "ended FAILED STEP_FAILED"


def test_end_ends_the_run_now_and_runs_handlers(play):
    """What runs is told, what waits is CANCELED, always() or not; handlers come when all has ended."""
    body = [
        step("a"),
        step("w", "flow.wait", options={"duration": "1h"}),
        step("b"),
        step("clean", needs="a", when="always()"),
    ]
    body += [step("end", "flow.end", needs="b", options={"output": {"why": "enough"}})]
    book = play(plan(*body, handlers={"success": step("x")}, output="=output('a')"))
    (book >> start()).skip()
    book >> done("b") << "b#1 succeeded" << "end SUCCEEDED" << "outcome SUCCEEDED" << "w CANCELED" << "clean CANCELED"
    book << "-> cancel a#1"
    assert book.state == "RUNNING"
    book >> cancel << "nothing"
    book.later(30_000) >> tick << "a CANCELED" << "success#1 started" << "-> cancel a#1" << "-> start success#1"
    book >> done("success") << "success#1 succeeded" << "ended SUCCEEDED"
    assert book.run.output == b'{"why":"enough"}'


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_end_can_end_a_run_in_other_ways(play, state):
    """With a message, and the handler of that outcome."""
    body = step("end", "flow.end", options={"state": state, "message": "no stock", "output": 1})
    handler = {"FAILED": "failure", "CANCELED": "cancel"}[state]
    book = play(plan(body, handlers={"success": step("x"), handler: step("y")}))
    book >> start() << "run started" << "end SUCCEEDED" << f"outcome {state} FLOW_END"
    book << f"{handler}#1 started" << f"-> start {handler}#1"
    book >> done(handler) << f"{handler}#1 succeeded" << f"ended {state}"
    assert (book.run.message, book.run.output) == ("no stock", b"1")


def test_end_beside_a_failure_still_says_how_the_run_ends(play):
    """flow.end SUCCEEDED after a handled failure is a success."""
    body = [step("a", "flow.fail", options={"message": "x"}), step("end", "flow.end", needs="a", when="failed()")]
    book = play(plan(*body))
    (
        book
        >> start()
        << "run started"
        << "a FAILED STEP_FAILED"
        << "end SUCCEEDED"
        << "outcome SUCCEEDED"
        << "ended SUCCEEDED"
    )


def test_end_after_a_cancel_does_not_undo_it(play):
    """What was recorded first holds: the cleanup step just succeeds."""
    book = play(plan(step("a"), step("end", "flow.end", needs="a", when="always()")))
    (book >> start()).skip()
    (book >> cancel).skip()
    book >> done("a") << "a#1 succeeded" << "end SUCCEEDED" << "ended CANCELED CANCELED"


def test_an_unknown_end_state_fails_the_step(play):
    """It came from an expression, else registration would have refused it."""
    book = play(plan(step("end", "flow.end", options={"state": "=root('input')['s']"})))
    book >> start({"s": "DONE"}) << "run started" << "end FAILED OPTION_INVALID" << "ended FAILED OPTION_INVALID"


def test_steps_in_the_decision_of_an_end_are_told_before_they_ran(play):
    """A step that the same decision had started is told to stop; the two commands keep their order."""
    book = play(plan(step("a"), step("end", "flow.end"), step("b")))
    book >> start() << "run started" << "a#1 started" << "end SUCCEEDED" << "outcome SUCCEEDED" << "b CANCELED"
    book << "-> start a#1" << "-> cancel a#1"
    book >> terminate << "terminated" << "-> cancel a#1"
    assert book.run.state == RunState.CANCELED
