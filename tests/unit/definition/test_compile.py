"""Documents to plans: what every part of a document becomes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hostd.definition import mistakes
from hostd.definition.compile import compile_document, compile_text, plan_from_stored, validate_text
from hostd.definition.document import load_documents
from hostd.definition.plan import Plan, StepKind
from hostd.errors.base import HostdError, Violation
from hostd.values.json_text import parse_json

FULL = """
workflow: bitcoin-price
version: 1.2.0
description: Fetch a price
labels: {team: markets, tier: 1.0}
permissions: [http.request, log]
retention: {runs: 90d, logs: 1d}
timeout: 5m
cleanup_timeout: 30s
fail_fast: true
inputs: {type: object, properties: {coin: {type: string, default: btc}}}
vars: {region: "${{ input.region }}", fixed: [1, 2]}
defaults: {retry: {max_attempts: 5}, timeout: 20s}
triggers:
  every_minute:
    uses: cron.schedule
    with: {cron: "* * * * *"}
    if: event.data.slot != ""
    input: {coin: btc}
    key: slot-${{ event.data.slot }}
steps:
  fetch:
    uses: http.request
    with: {url: "https://prices.example/${{ input.coin }}?${{ env.REGION }}", auth: "${{ secrets.price_key }}"}
    timeout: 10s
    deadline: 1m
    retry:
      {max_attempts: 4, initial_interval: 2s, backoff_coefficient: 1.5, non_retryable: [ATTEMPT_TIMEOUT, "code:NO"],
       if: error.details.status == 503, on_lost: retry}
    on_error: continue
    name: Fetch it
  rest: {uses: flow.wait, needs: fetch, with: {duration: 1h30m}}
  tidy: {uses: log.write, needs: [fetch, rest], if: always()}
  last: {uses: log.write, needs: rest, if: "${{ steps.fetch.result == 'SUCCEEDED' }}", retry: {max_attempts: 1}}
handlers:
  exit: {uses: log.write, with: {message: "${{ run.state }} ${{ size(failures) }}"}}
  failure: {uses: flow.pass, with: {output: "${{ failure.message }}"}}
output: {usd: "${{ steps.fetch.output.usd }}"}
"""


def only(text: str) -> Plan:
    """Return the plan of a text with one document."""
    (plan,) = compile_text(text)
    return plan


def told(text: str, **more: Any) -> list[tuple[str, str]]:
    """Return path and reason of each mistake."""
    return [(fault.path, fault.reason) for fault in validate_text(text, **more)]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return only(FULL)


def test_the_top_of_a_document(plan: Plan) -> None:
    """Names, limits and lists arrive as they are written; text keys keep their source text."""
    assert (plan.workflow, plan.version, plan.description) == ("bitcoin-price", "1.2.0", "Fetch a price")
    assert plan.labels == {"team": "markets", "tier": "1.0"}
    assert (plan.timeout_ms, plan.cleanup_timeout_ms, plan.fail_fast) == (300_000, 30_000, True)
    assert plan.permissions == ("http.request", "log")
    assert plan.retention_ms == {"runs": 90 * 86_400_000, "logs": 86_400_000}
    assert plan.inputs == {"type": "object", "properties": {"coin": {"type": "string", "default": "btc"}}}
    assert [name for name, _ in plan.vars] == ["fixed", "region"]
    assert plan.env_names == {"REGION"}
    assert plan.secret_names == {"price_key"}


def test_steps_are_linked_by_position(plan: Plan) -> None:
    """Body steps stand behind their needs, ids deciding; then the handlers in the order they run."""
    assert [step.id for step in plan.steps] == ["fetch", "rest", "last", "tidy", "handlers.failure", "handlers.exit"]
    assert [step.index for step in plan.steps] == [0, 1, 2, 3, 4, 5]
    assert (plan.body_count, plan.index) == (4, {"fetch": 0, "rest": 1, "last": 2, "tidy": 3})
    assert plan.handlers == {"failure": 4, "exit": 5}
    assert [step.needs for step in plan.steps] == [(), (0,), (1,), (0, 1), (), ()]
    assert [step.dependents for step in plan.steps] == [(1, 3), (2, 3), (), (), (), ()]
    assert [step.kind for step in plan.steps[:2]] == [StepKind.ACTION, StepKind.WAIT]
    assert [step.handler for step in plan.steps[3:]] == ["", "failure", "exit"]


def test_a_step_with_everything(plan: Plan) -> None:
    """Limits in milliseconds, the retry with its rules."""
    fetch = plan.steps[0]
    assert (fetch.timeout_ms, fetch.deadline_ms) == (10_000, 60_000)
    assert (fetch.continue_on_error, fetch.name) == (True, "Fetch it")
    retry = fetch.retry
    assert retry is not None
    assert (retry.max_attempts, retry.initial_interval_ms, retry.backoff_coefficient) == (4, 2_000, 1.5)
    assert (retry.max_interval_ms, retry.jitter, retry.retry_on_lost) == (200_000, 0.2, True)
    assert retry.non_retryable == {"ATTEMPT_TIMEOUT"}
    assert retry.non_retryable_codes == {"NO"}
    assert retry.condition.reads_roots == {"error"}


def test_defaults_hold_for_actions_that_say_nothing(plan: Plan) -> None:
    """A step's own `retry` replaces the default whole; the engine's own steps have no attempts."""
    tidy, last, rest = plan.steps[3], plan.steps[2], plan.steps[1]
    assert (tidy.retry and tidy.retry.max_attempts, tidy.timeout_ms) == (5, 20_000)
    assert last.retry is not None
    assert last.retry.max_attempts == 1
    assert (rest.retry, rest.timeout_ms) == (None, 0)


def test_without_retry_there_is_one_attempt() -> None:
    """No `retry` is no retry plan; an empty one has the defaults."""
    steps = only("workflow: a\nsteps: {a: {uses: x.y}, b: {uses: x.y, retry: {}}}").steps
    assert steps[0].retry is None
    retry = steps[1].retry
    assert retry is not None
    assert (retry.max_attempts, retry.initial_interval_ms, retry.max_interval_ms) == (3, 1_000, 100_000)


def test_conditions_know_whether_they_hold_after_a_cancel(plan: Plan) -> None:
    """`always()` and `canceled()` do; a condition may stand bare or in braces."""
    assert [step.after_cancel for step in plan.steps[:4]] == [False, False, False, True]
    assert plan.steps[2].condition.source == "steps.fetch.result == 'SUCCEEDED'"
    assert plan.steps[0].condition is None
    assert only("workflow: a\nsteps: {a: {uses: x.y, if: true}}").steps[0].condition.source == "true"


def test_triggers(plan: Plan) -> None:
    """Options, condition, input and key are compiled."""
    (trigger,) = plan.triggers
    assert (trigger.name, trigger.uses, trigger.options.literal) == ("every_minute", "cron.schedule", True)
    assert trigger.condition.reads_roots == {"event"}
    assert (trigger.input.literal, trigger.key.literal) == (True, False)


def test_a_plan_is_made_again_from_what_is_stored(plan: Plan) -> None:
    """The stored JSON gives an equal plan, positions too, but for lines, which JSON has not."""
    again = plan_from_stored(plan.document)
    for field in Plan.__struct_fields__:
        if field not in ("steps", "triggers", "vars", "output"):
            assert getattr(again, field) == getattr(plan, field), field
    formulas = {"line": 0, "options": None, "condition": None, "retry": None}
    for old, new in zip(plan.steps, again.steps, strict=True):
        assert msgspec.structs.replace(old, **formulas) == msgspec.structs.replace(new, **formulas)
        assert (old.retry is None) == (new.retry is None)
        assert (old.condition and old.condition.source) == (new.condition and new.condition.source)


def test_what_was_registered_stays_loadable(catalogue: Any) -> None:
    """A plan is made from its stored form though its action is gone and its options would not fit any more."""
    text = "workflow: a\nsteps: {a: {uses: test.send, with: {url: x}}}"
    (plan,) = compile_text(text, catalogue=catalogue)
    catalogue.actions.clear()
    assert told(text, catalogue=catalogue) == [("steps.a.uses", "ACTION_UNKNOWN")]
    assert plan_from_stored(plan.document).workflow == "a"


def test_a_component_whose_plugin_is_on_its_way_is_refused_with_that(catalogue: Any) -> None:
    """Nobody can check its options yet; who reads it knows that it may be registered later."""
    text = "workflow: a\ntriggers: {t: {uses: late.tick}}\nsteps: {a: {uses: late.send}}"
    late = "plugin late, which may provide it, is starting"
    assert [(fault.reason, fault.message) for fault in validate_text(text, catalogue=catalogue)] == [
        ("TRIGGER_UNKNOWN", f"no loaded plugin provides the trigger late.tick; {late}"),
        ("ACTION_UNKNOWN", f"no loaded plugin provides the action late.send; {late}"),
    ]


@pytest.mark.parametrize(
    "one,other",
    [
        (
            "workflow: a\nversion: 1.2.0\nsteps: {a: {uses: x.y}}",
            '{"version":"1.2.0","steps":{"a":{"uses":"x.y"}},"workflow":"a"}',
        ),
        (
            "workflow: a\nlabels: {n: 1.10}\nsteps: {a: {uses: x.y}}",
            "workflow: a\nsteps: {a: {uses: x.y}}\nlabels: {n: '1.10'}",
        ),
        ("workflow: a\nsteps: {a: {uses: x.y, if: true}}", "workflow: a\nsteps: {a: {if: 'true', uses: x.y}} # same"),
        ("workflow: a\nsteps: {a: &s {uses: x.y}, b: *s}", "workflow: a\nsteps: {a: {uses: x.y}, b: {uses: x.y}}"),
        ("workflow: a\nsteps: {a: {uses: x.y, with: {n: 1.0}}}", "workflow: a\nsteps: {a: {uses: x.y, with: {n: 1}}}"),
    ],
)
def test_equal_documents_have_one_digest(one: str, other: str) -> None:
    """Versions are compared as parsed documents: order, quotes, comments, YAML or JSON make no difference."""
    plans = only(one), only(other)
    assert plans[0].digest == plans[1].digest
    assert plans[0].document == plans[1].document


def test_equal_documents_have_equal_positions() -> None:
    """Records name steps by position, so the order of keys in a text makes no difference to it."""
    one = only("workflow: a\nsteps: {c: {uses: x.y}, b: {uses: x.y, needs: c}, a: {uses: x.y, needs: [c, b]}}")
    other = only("workflow: a\nsteps: {a: {uses: x.y, needs: [c, b]}, b: {uses: x.y, needs: c}, c: {uses: x.y}}")
    assert one.digest == other.digest
    assert one.index == other.index == {"c": 0, "b": 1, "a": 2}
    assert [step.needs for step in one.steps] == [step.needs for step in other.steps] == [(), (0,), (0, 1)]


def test_different_documents_have_different_digests() -> None:
    """A number is not the text that looks like it."""
    values = ("1", "'1'", "true", "null", "1.5")
    texts = [f"workflow: a\nsteps: {{a: {{uses: x.y, with: {{n: {value}}}}}}}" for value in values]
    assert len({only(text).digest for text in texts}) == len(values)


def test_the_stored_form_is_the_parsed_document() -> None:
    """Canonical JSON with text keys as text."""
    document = only("workflow: a\nsteps: {a: {uses: x.y, timeout: 10s, if: false}}").document
    assert parse_json(document) == {"workflow": "a", "steps": {"a": {"uses": "x.y", "timeout": "10s", "if": "false"}}}


def test_an_ancestor_of_a_need_may_be_read() -> None:
    """It has ended too, so a read needs no need of its own."""
    text = """
workflow: a
steps:
  one: {uses: x.y}
  two: {uses: x.y, needs: one}
  three: {uses: x.y, needs: two, with: {v: "${{ steps.one.output }}"}}
"""
    assert told(text) == []
    assert told(text.replace("needs: one", "needs: []")) == [("steps.three.with.v", "NEED_MISSING")]


def test_all_documents_of_a_text_are_checked() -> None:
    """One look shows the mistakes of every document, in the order of their places."""
    text = "workflow: A\nsteps: {a: {uses: x.y}}\n---\nworkflow: b\nsteps: {}\n"
    assert told(text) == [("workflow", "NAME_INVALID"), ("steps", "VALUE_INVALID")]
    with pytest.raises(HostdError) as caught:
        compile_text(text, file="two.yaml")
    assert caught.value.reason == "DOCUMENT_INVALID"
    assert caught.value.violations == (
        Violation("workflow", "NAME_INVALID", "A is not a workflow name", "write a", "two.yaml", 1, 11),
        Violation("steps", "VALUE_INVALID", "there are 0 entries; at least 1 can stand here", "", "two.yaml", 5, 8),
    )


def test_a_duplicate_key_is_told_by_compiling() -> None:
    """Mistakes that leave the rest readable travel with the document."""
    (document,) = load_documents("workflow: a\nworkflow: a\nsteps: {a: {uses: x.y}}")
    with pytest.raises(HostdError) as caught:
        compile_document(document)
    assert [fault.reason for fault in caught.value.violations] == ["KEY_DUPLICATE"]


def test_a_join_that_can_never_run_is_warned_of() -> None:
    """Two needs whose conditions exclude each other: `none_failed()` is what was meant."""
    text = """
workflow: a
steps:
  test: {uses: x.y}
  yes_way: {uses: x.y, needs: test, if: steps.test.output.ok}
  no_way: {uses: x.y, needs: test, if: "!steps.test.output.ok"}
  join: {uses: x.y, needs: [yes_way, no_way]}
"""
    (warning,) = only(text).warnings
    assert warning.startswith("join can never run: it needs no_way and yes_way")
    assert only(text.replace("no_way]}", "no_way], if: none_failed()}")).warnings == ()


def test_mistakes_are_bounded() -> None:
    """A document that is wrong everywhere gives a list of bounded length that says so."""
    steps = [f"  s{n}: {{uses: x.y, needs: gone{n}}}\n" for n in range(500)]
    faults = validate_text("workflow: a\nsteps:\n" + "".join(steps))
    assert len(faults) == 201
    assert faults[-1].message == "there are more mistakes; correct these first"


def test_expressions_are_bounded() -> None:
    """A small text can hold very many; past the bound they are not compiled, and one mistake says so."""
    texts = ["${{ 1 }}" * 4_000, "${{ 2 }}" * 6_000]
    document = "workflow: w\nsteps:\n  a: {uses: flow.pass, with: {output: ['%s', '%s']}}\noutput: '%s'"

    [fault] = validate_text(document % (*texts, "${{ 3 }} ${{ unknown }}"))

    assert (fault.path, fault.reason) == ("output", "VALUE_INVALID")
    assert "10000 expressions" in fault.message
    assert validate_text(document % (*texts, "none")) == []
    [fault] = validate_text(document % ("none", "none", ("${{ 1" + " " * 15_000 + "}}") * 18))
    assert (fault.path, fault.reason) == ("output", "VALUE_INVALID")


def test_only_mistakes_that_are_shown_get_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for the nearest word is slow: it is not done for the many that nobody will read."""
    looked: list[str] = []
    monkeypatch.setattr(mistakes, "nearest", lambda word, known: looked.append(word) or "")
    step = ", ".join(f"uzes{n}: 1" for n in range(500))
    options = ", ".join(f"opt{n}: 1" for n in range(500))
    for document in (
        "\n".join(f"key{n}: 1" for n in range(500)),
        f"workflow: w\nsteps:\n  a: {{uses: flow.pass, {step}}}",
        f"workflow: w\nsteps:\n  a: {{uses: flow.wait, with: {{{options}}}}}",
    ):
        looked.clear()
        assert len(validate_text(document)) == mistakes.MAX_MISTAKES + 1
        assert len(looked) <= mistakes.MAX_MISTAKES, document[:40]


def test_words_of_other_tools_are_answered_with_ours() -> None:
    """A handler beside the steps is led to `handlers`; a list of steps to the mapping that they are."""
    found = validate_text("workflow: w\non_failure: {uses: flow.pass}\nsteps:\n  - {id: a, uses: flow.pass}\n")
    told = {fault.path: (fault.message, fault.suggestion) for fault in found}
    assert told["on_failure"][1] == "did you mean handlers: {failure: ...}?"
    assert told["steps"][0] == "this must be a mapping from ids, not a list"
    handler = 'handlers: {failure: {uses: log.write, needs: a, with: {message: "${{ error.message }}"}}}\n'
    found = validate_text("workflow: w\nsteps: {a: {uses: flow.pass}}\n" + handler)
    assert [fault.suggestion.partition(":")[0] for fault in found] == ["leave it out", "write failure"]
