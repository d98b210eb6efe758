"""Dataflow: when steps begin, and which do not."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import blob_of, cancel, done, error, pause, resume, slot, start

from hostd.errors.reasons import REASONS


def test_each_step_starts_in_the_decision_that_ends_its_last_need(play):
    """A diamond: both branches start with the first result, the join with the last one, and the run ends by itself."""
    book = play(plan(step("a"), step("b", needs="a"), step("c", needs="a"), step("d", needs="b c")))
    book >> start() << "run started" << "a#1 started" << "-> start a#1"
    book >> done("a") << "a#1 succeeded" << "b#1 started" << "c#1 started" << "-> start b#1" << "-> start c#1"
    book >> done("c") << "c#1 succeeded"
    book >> done("b") << "b#1 succeeded" << "d#1 started" << "-> start d#1"
    book >> done("d") << "d#1 succeeded" << "ended SUCCEEDED"
    assert book.state == "SUCCEEDED"


def test_there_is_no_barrier_between_levels(play):
    """A step two levels down starts while one of the first level still runs."""
    book = play(plan(step("slow"), step("quick"), step("next", needs="quick")))
    book >> start() << "run started" << "slow#1 started" << "quick#1 started" << "-> start slow#1" << "-> start quick#1"
    book >> done("quick") << "quick#1 succeeded" << "next#1 started" << "-> start next#1"


def test_independent_branches_go_on_beside_a_failure(play):
    """Only what needs the failed step is skipped; the run fails when everything has ended."""
    book = play(plan(step("a"), step("b"), step("c", needs="a"), step("d", needs="b")))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "c SKIPPED"
    book >> done("b") << "b#1 succeeded" << "d#1 started" << "-> start d#1"
    book >> done("d") << "d#1 succeeded" << "ended FAILED ACTION_FAILED"


def test_a_skipped_step_skips_what_needs_it(play):
    """The default condition asks that every direct need SUCCEEDED, and SKIPPED is not that."""
    book = play(plan(step("a", when="False"), step("b", needs="a"), step("c", needs="b")))
    book >> start() << "run started" << "a SKIPPED" << "b SKIPPED" << "c SKIPPED" << "ended SUCCEEDED"


def test_a_condition_without_status_function_also_asks_for_success(play):
    """`if: x` means succeeded() && (x): it is not even evaluated behind a failed need."""
    book = play(plan(step("a"), step("b", needs="a", when="output('a')['deep'] == 1")))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "b SKIPPED" << "ended FAILED ACTION_FAILED"


def test_a_condition_reads_the_output_of_its_need(play):
    """A need's output decides the branch that is taken."""
    body = [step("a"), step("yes", needs="a", when="output('a') > 1"), step("no", needs="a", when="output('a') <= 1")]
    book = play(plan(*body))
    (book >> start()).skip()
    book >> done("a", 2) << "a#1 succeeded" << "yes#1 started" << "no SKIPPED" << "-> start yes#1"


def test_an_error_in_a_condition_fails_the_step_and_names_the_path(play):
    """A condition that cannot be evaluated is never just false."""
    book = play(plan(step("a"), step("b", needs="a", when="output('a')['missing'] == 1")))
    (book >> start()).skip()
    book >> done("a", {}) << "a#1 succeeded" << "b FAILED EXPRESSION_FAILED" << "ended FAILED EXPRESSION_FAILED"
    assert "output('a')['missing']" in book.run.step_failures[1].message


def test_a_condition_that_is_neither_true_nor_false_fails_the_step(play):
    """There is no truthiness."""
    book = play(plan(step("a", when="1")))
    book >> start() << "run started" << "a FAILED EXPRESSION_FAILED" << "ended FAILED EXPRESSION_FAILED"
    assert book.run.step_failures[0].message == "`if` of a gave a number, not true or false"


def test_an_error_in_an_option_fails_the_step_before_an_attempt(play):
    """The step had no attempt, and `steps.x.attempts` says so."""
    book = play(plan(step("a", options={"url": "=root('nowhere')"}), output="=attempts('a')"))
    book >> start() << "run started" << "a FAILED EXPRESSION_FAILED" << "ended FAILED EXPRESSION_FAILED"
    assert book.run.attempts(0) == 0


def test_a_permit_is_not_spent_on_a_step_that_fails_before_its_attempt(play):
    """The only free slot goes to the step that can use it."""
    book = play(plan(step("a", options={"x": "=root('nowhere')"}), step("b")))
    book.permits = {"test.act": 1}
    book >> start() << "run started" << "a FAILED EXPRESSION_FAILED" << "b#1 started" << "-> start b#1"


@pytest.mark.parametrize(
    ("when", "starts"),
    [("failed()", True), ("always()", True), ("none_failed()", False), ("succeeded()", False), ("canceled()", False)],
)
def test_status_functions_behind_a_failed_ancestor(play, when, starts):
    """failed() looks at all ancestors: two steps behind the failure it still holds, past a SKIPPED one."""
    book = play(plan(step("a"), step("b", needs="a"), step("c", needs="b", when=when)))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "b SKIPPED"
    if starts:
        book << "c#1 started" << "-> start c#1"
    else:
        book << "c SKIPPED" << "ended FAILED ACTION_FAILED"


def test_none_failed_is_the_join_after_a_branch(play):
    """One direct need SUCCEEDED and the other was SKIPPED: the join runs where the default would not."""
    body = [step("yes"), step("no", when="False"), step("join", needs="yes no", when="none_failed()")]
    book = play(plan(*body, step("plain", needs="yes no")))
    (book >> start()).skip()
    book >> done("yes") << "yes#1 succeeded" << "join#1 started" << "plain SKIPPED" << "-> start join#1"


def test_none_failed_needs_one_success(play):
    """With every branch skipped there is nothing to join."""
    book = play(plan(step("a", when="False"), step("join", needs="a", when="none_failed()")))
    book >> start() << "run started" << "a SKIPPED" << "join SKIPPED" << "ended SUCCEEDED"


def test_on_error_continue_counts_as_success_without_output(play):
    """`result` is SUCCEEDED, `state` stays FAILED, `output` is null and `error` tells why."""
    tell = {"state": "=state('a')", "result": "=result('a')", "out": "=output('a')", "why": "=error('a')['reason']"}
    book = play(plan(step("a", go_on=True), step("b", needs="a", options=tell)))
    (book >> start()).skip()
    book >> error("a") << "a#1 failed ACTION_FAILED" << "b#1 started" << "-> start b#1"
    expected = {"state": "FAILED", "result": "SUCCEEDED", "out": None, "why": "ACTION_FAILED"}
    assert book.decision.commands[0].options == expected
    book >> done("b") << "b#1 succeeded" << "ended SUCCEEDED"


def test_a_step_without_a_slot_stays_ready_and_asks(play):
    """What no permit covers is READY; the slot starts it, and a second one says nothing."""
    book = play(plan(step("a"), step("b"), step("c", "other.act")))
    book.permits = {"test.act": 1}
    book >> start() << "run started" << "a#1 started" << "b ready" << "c#1 started"
    book << "-> start a#1" << "-> ask b" << "-> start c#1"
    book.permits = {}
    book >> slot("b") << "b#1 started" << "-> start b#1"
    book >> slot("b") << "nothing"
    book >> slot("a") << "nothing"


def test_a_slot_that_was_taken_meanwhile_makes_the_step_ask_again(play):
    """SlotFree is an offer: without a permit the step asks once more and records nothing."""
    book = play(plan(step("a")))
    book.permits = {"test.act": 0}
    book >> start() << "run started" << "a ready" << "-> ask a"
    book >> slot("a") << "-> ask a"
    assert book.step("a") == "READY"


def test_now_is_when_the_step_became_ready_however_long_it_waits_for_its_slot(play):
    """Rendering again later gives the same."""
    book = play(plan(step("a", options={"at": "=now()"})))
    book.permits = {"test.act": 0}
    (book >> start()).skip()
    ready_at_ms = book.at_ms
    book.permits = {}
    book.later(5_000) >> slot("a") << "a#1 started" << "-> start a#1"
    assert book.decision.commands[0].options == {"at": ready_at_ms}


def test_an_expression_asks_for_the_blob_it_looks_into_and_decides_then(play):
    """A large value that is only passed by is never read; one that is looked into is asked for, and asked again."""
    large = {"text": "x" * 40_000, "n": 7}
    book = play(plan(step("a"), step("b", needs="a"), step("c", needs="b", options={"n": "=output('a')['n']"})))
    (book >> start()).skip()
    book >> done("a", large, store=False) << "a#1 succeeded" << "b#1 started" << "-> start b#1"
    blob = blob_of(large)
    book >> done("b") << f"needs {blob.digest.hex()[:8]}"
    assert book.step("b") == "RUNNING"
    book.blobs = {blob.digest: blob.data}
    book >> done("b") << "b#1 succeeded" << "c#1 started" << "-> start c#1"
    assert book.decision.commands[0].options == {"n": 7}


def test_the_blob_that_comes_with_a_message_can_be_looked_into_at_once(play):
    """Nobody could read it from the journal yet: it is stored by this very decision."""
    book = play(plan(step("a"), step("b", needs="a", options={"n": "=output('a')['n']"})))
    (book >> start()).skip()
    book >> done("a", {"text": "x" * 40_000, "n": 7}) << "a#1 succeeded" << "b#1 started" << "-> start b#1"
    assert len(book.decision.blobs) == 1


def test_a_large_value_made_by_the_engine_can_be_looked_into_in_the_same_decision(play):
    """flow.pass makes a blob; the next step reads it in the decision that stores it."""
    made = step("a", "flow.pass", options={"output": {"text": "x" * 40_000, "n": 7}})
    book = play(plan(made, step("b", needs="a", options={"n": "=output('a')['n']"})))
    book >> start() << "run started" << "a SUCCEEDED" << "b#1 started" << "-> start b#1"
    assert book.decision.commands[0].options == {"n": 7}


def test_a_thousand_results_meet_in_one_join(play):
    """A wide fan-in: the join starts with the last result and with no other, past 255 needs too."""
    names = [f"p{at}" for at in range(1_000)]
    book = play(plan(*(step(name) for name in names), step("join", needs=names)))
    (book >> start()).skip()
    book.history.clear()  # folding a thousand histories is not what this shows
    run = book.run
    from hostd.engine.decide import decide
    from hostd.engine.draft import Stamp
    from hostd.model.messages import AttemptDone

    for at in range(999):
        decision = decide(run, AttemptDone(at, 1, b"1"), Stamp(book.at_ms))
        assert len(decision.records) == 1
        run = decision.run
    decision = decide(run, AttemptDone(999, 1, b"1"), Stamp(book.at_ms))
    assert [command.step for command in decision.commands] == [1_000]


def test_a_step_that_is_held_by_a_pause_and_then_canceled_never_began(play):
    """READY is not begun: it has no attempt to tell."""
    book = play(plan(step("a"), step("b", needs="a")))
    (book >> start()).skip()
    book >> pause << "paused"
    book >> done("a") << "a#1 succeeded" << "b ready"
    book >> cancel << "cancel requested" << "b CANCELED" << "ended CANCELED CANCELED"
    assert book.run.attempts(1) == 0
    book >> resume << "nothing"


def test_every_reason_the_engine_gives_can_be_explained(play):
    """`hostd explain` knows them all."""
    given = {"FLOW_END", "EXPRESSION_FAILED", "OPTION_INVALID", "OUTPUT_TOO_LARGE", "OUTPUT_INVALID", "RUN_TOO_LARGE"}
    given |= {"DEADLINE_PASSED", "OUTCOME_UNKNOWN", "ATTEMPT_LOST", "STEP_FAILED", "HANDLER_FAILED", "RUN_TIMEOUT"}
    assert not (given | {"CANCELED", "TERMINATED"}) - set(REASONS)
