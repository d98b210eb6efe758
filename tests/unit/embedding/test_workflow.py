"""The builder: the same documents and plans as written by hand, and mistakes with the line that made them."""

from __future__ import annotations

import json
import linecache
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from hostd.definition import grammar
from hostd.definition.compile import compile_document, compile_text
from hostd.definition.document import load_documents
from hostd.definition.nodes import value_of
from hostd.definition.plan import Plan
from hostd.definition.shapes import Shape
from hostd.embedding import HostdError, Workflow, fn, use
from hostd.embedding.parts import UNSET
from hostd.embedding.uses import cron, flow, http, log, lua
from hostd.host.host import PluginHost
from hostd.plugin import action

ROOT = Path(__file__).parents[3]

BY_HAND = """
workflow: prices
version: 1.2.0
labels: {team: markets}
inputs: {type: object, properties: {coin: {type: string, default: btc}}}
triggers:
  every_minute:
    uses: cron.schedule
    with: {cron: "* * * * *"}
    if: event.data.slot != ""
    input: {coin: eth}
vars: {base: "https://prices.example/${{ input.coin }}"}
steps:
  fetch:
    uses: http.request
    with: {url: "${{ vars.base }}"}
    timeout: 10s
    retry: {max_attempts: 4, initial_interval: 1s, if: error.details.status >= 500}
  price:
    needs: fetch
    uses: lua.script
    with: {input: "${{ steps.fetch.output }}", script: "return { usd = input.body.USD }"}
  post:
    needs: price
    if: (steps.price.output.usd > 0) && (run.workflow != "x")
    uses: log.write
    with: {message: "${{ steps.price.output.usd }} USD for ${{ input.coin }}"}
    on_error: continue
handlers:
  failure: {uses: log.write, with: {level: error, message: "${{ failure.message }}"}}
output: ${{ steps.price.output }}
timeout: 5m
"""


def by_builder() -> Workflow:
    """Return the same workflow, written in Python."""
    wf = Workflow(
        "prices",
        version="1.2.0",
        labels={"team": "markets"},
        inputs={"type": "object", "properties": {"coin": {"type": "string", "default": "btc"}}},
        timeout=timedelta(minutes=5),
    )
    wf.trigger("every_minute", cron.schedule(cron="* * * * *"), input={"coin": "eth"}).when(wf.event.data.slot != "")
    base = wf.var("base", f"https://prices.example/{wf.input.coin}")
    fetch = wf.step("fetch", http.request(url=base)).timeout("10s")
    fetch.retry(max_attempts=4, initial_interval="1s", if_=wf.error.details.status >= 500)
    script = "return { usd = input.body.USD }"
    price = wf.step("price", lua.script(input=fetch.output, script=script), needs=fetch)
    usd = price.output.usd
    post = wf.step(
        "post", log.write(message=f"{usd} USD for {wf.input.coin}"), when=(usd > 0) & (wf.run.workflow != "x")
    )
    post.on_error("continue")
    wf.handler("failure", log.write(level="error", message=wf.failure.message))
    wf.output(price.output)
    return wf


def read(text: str) -> Any:
    """Return a document's text as JSON types."""
    (document,) = load_documents(text)
    return value_of(document.root)


def same(one: Plan, other: Plan) -> bool:
    """Say whether two plans are the same: their documents, what they compile to, and how the engine sees them."""
    return (one.document, one.digest, shape(one)) == (other.document, other.digest, shape(other))


def shape(plan: Plan) -> list[Any]:
    """Return what a plan's steps are, without compiled expressions, which have no equality."""
    return [
        (step.id, step.uses, step.kind, step.needs, step.dependents, step.timeout_ms, step.deadline_ms, step.handler)
        for step in plan.steps
    ]


def test_it_writes_the_document_that_a_person_would() -> None:
    """Every part; the plan is the plan of the text, needs that were not written included."""
    document = read(BY_HAND)

    assert by_builder().to_document() == document
    assert read(by_builder().to_yaml()) == document
    assert same(by_builder().plan(), compile_text(BY_HAND)[0])


def rebuilt(document: dict[str, Any]) -> Workflow:
    """Return a builder that is told a document."""
    rest = {key: value for key, value in document.items() if key not in PARTS}
    wf = Workflow(document["workflow"], **rest)
    for name, value in document.get("vars", {}).items():
        wf.var(name, value)
    for group, add in (("steps", wf.step), ("handlers", wf.handler), ("triggers", wf.trigger)):
        for name, part in document.get(group, {}).items():
            keys = {
                f"{key}_" if key == "if" else key: value for key, value in part.items() if key not in ("uses", "with")
            }
            used = use(part["uses"], part["with"]) if part.get("with") else part.get("uses")
            add(name, used, **keys)
    if "output" in document:
        wf.output(document["output"])
    return wf


PARTS = ("workflow", "vars", "steps", "handlers", "triggers", "output")
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="$"), max_size=12)
IDS = st.sampled_from(["a", "b", "fetch", "step_2", "z9"])
ODD_TEXTS = [
    *("", " ", "1", "-0", "1.5", "1e5", "0x1F", "1_000", "12:30", "on", "no", "null", "~", "true", "- a", "a: b", "#c"),
    *("!t", "&a", "*a", "'", '"', "%", "@", "`", "line\nbreak\n", "\n", " lead", "trail ", "\ttab", "\u2028", "\ufeff"),
    *(
        "${{ input.x }}",
        "a ${{ run.id }} b",
        "=",
        "2026-01-01",
        "<<",
        "é",
        "9" * 30,
        "|",
        ">",
        "? a",
        "{",
        "[",
        "a\r\nb",
    ),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(ODD_TEXTS)
    | WORDS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=4
)
DURATIONS = st.sampled_from(["1s", "500ms", "1h30m", "2d"])
RETRIES = st.fixed_dictionaries(
    {},
    optional={
        "max_attempts": st.integers(1, 9),
        "initial_interval": DURATIONS,
        "backoff_coefficient": st.sampled_from([1, 2, 1.5]),
        "non_retryable": st.sampled_from(["INVALID", ["INVALID", "code:X"]]),
        "if": st.sampled_from(["error.retryable", "${{ error.retryable }}"]),
    },
)
STEP = st.fixed_dictionaries(
    {"uses": st.sampled_from(["http.request", "shop.price"])},
    optional={
        "with": st.dictionaries(IDS, VALUES, min_size=1, max_size=2),
        "if": st.sampled_from(["always()", "failed()", "${{ input.n > 1 }}", True, False]),
        "name": WORDS.filter(bool),
        "retry": RETRIES,
        "timeout": DURATIONS,
        "on_error": st.sampled_from(["fail", "continue"]),
    },
)


@st.composite
def steps(draw: Any) -> dict[str, Any]:
    """Return steps that need and read what stands before them."""
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    found: dict[str, Any] = {}
    for at, step_id in enumerate(ids):
        step = dict(draw(STEP))
        if at and draw(st.booleans()):
            need = ids[draw(st.integers(0, at - 1))]
            step["needs"] = draw(st.sampled_from([need, [need]]))
            step["with"] = {**step.get("with", {}), "read": f"${{{{ steps.{need}.output }}}}"}
        found[step_id] = step
    return found


HANDLER = STEP.map(lambda step: {key: value for key, value in step.items() if key != "if"})
HANDLERS = st.dictionaries(st.sampled_from(["success", "failure", "exit"]), HANDLER, min_size=1)
TRIGGER = st.fixed_dictionaries(
    {"uses": st.just("cron.every")},
    optional={"if": st.just("event.id != ''"), "input": st.just({"n": "${{ event.data.n }}"}), "key": st.just("k")},
)
DOCUMENTS = st.fixed_dictionaries(
    {"workflow": st.sampled_from(["a", "shop-order"]), "steps": steps()},
    optional={
        "version": st.sampled_from(["1.0.0", "2.10.0-rc.1"]),
        "labels": st.just({"team": "a"}),
        "timeout": DURATIONS,
        "fail_fast": st.booleans(),
        "vars": st.dictionaries(IDS, VALUES, min_size=1, max_size=2),
        "output": VALUES,
        "defaults": st.fixed_dictionaries({"timeout": DURATIONS}),
        "inputs": st.just({"type": "object", "properties": {"n": {"type": "integer", "default": 2}}}),
        "handlers": HANDLERS,
        "triggers": st.dictionaries(IDS, TRIGGER, min_size=1, max_size=2),
    },
)


@given(DOCUMENTS)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_any_document_goes_through_the_builder_unchanged(document: dict[str, Any]) -> None:
    """Document, builder, document; and its plan is that of the document's own text."""
    wf = rebuilt(document)
    by_text = compile_text(json.dumps(document))[0]

    assert wf.to_document() == document
    assert same(wf.plan(), by_text)


def shown_documents() -> list[Any]:
    """Return every workflow of the examples and plugins' samples."""
    files = sorted([*ROOT.glob("plugins/examples/**/*.yaml"), *ROOT.glob("docs/**/*.yaml")])
    texts = [(file, file.read_text()) for file in files]
    return [pytest.param(text, id=file.name) for file, text in texts if text.lstrip().startswith("workflow:")]


@pytest.mark.parametrize("text", [*shown_documents(), BY_HAND])
def test_documents_that_people_wrote_go_through_it_too(text: str) -> None:
    """The examples of the repository."""
    document = read(text)
    assert rebuilt(document).to_document() == document
    assert same(rebuilt(document).plan(), compile_document(load_documents(text)[0]))


RETRY = {
    "max_attempts": 4, "initial_interval": "1s", "backoff_coefficient": 1.5, "max_interval": "1m", "jitter": 0.1,
    "non_retryable": ["INVALID"], "if": "error.retryable", "on_lost": "retry",
}  # fmt: skip
EVERY_STEP_KEY = {
    "uses": "shop.price", "with": {"sku": "a"}, "if": "run.key != ''", "retry": RETRY, "timeout": "1s",
    "deadline": "1h", "on_error": "continue", "executor": "inline", "name": "Price", "description": "What it costs.",
    "position": {"x": 1, "y": 2},
}  # fmt: skip
EVERY_TRIGGER_KEY = {
    "uses": "cron.every", "with": {"period": "1h"}, "if": "event.id != ''", "input": {"n": 1}, "key": "${{ event.id }}",
    "signal": {"name": "go", "data": "${{ event.data }}"}, "start": True,
}  # fmt: skip
EVERY_KEY: dict[str, Any] = {
    "workflow": "all", "version": "1.0.0", "description": "Everything.", "labels": {"team": "a"},
    "inputs": {"type": "object"}, "signals": {"go": {"type": "object"}}, "vars": {"n": "${{ input.n }}"},
    "defaults": {"retry": {"max_attempts": 2}, "timeout": "1m", "executor": "inline"},
    "triggers": {"now_and_then": EVERY_TRIGGER_KEY},
    "steps": {"first": {"uses": "shop.price"}, "it": {**EVERY_STEP_KEY, "needs": ["first"]}},
    "handlers": dict.fromkeys(("success", "failure", "cancel", "exit"), EVERY_STEP_KEY),
    "output": "${{ steps.it.output }}", "timeout": "1h", "cleanup_timeout": "1m", "fail_fast": True,
    "retention": {"runs": "1d", "logs": "1h"}, "permissions": ["http.request"],
}  # fmt: skip


def built(mapping: Shape) -> set[str]:
    """Return the keys of a mapping that this version builds."""
    return {name for name, key in mapping.keys.items() if not key.refused}


def test_every_word_of_the_grammar_can_be_written() -> None:
    """A word that documents learn is tried here; the plan is that of the text. What comes later is refused by name."""
    assert EVERY_KEY.keys() == built(grammar.WORKFLOW)
    assert EVERY_STEP_KEY.keys() | {"needs"} == built(grammar.STEP)
    assert EVERY_STEP_KEY.keys() == built(grammar.HANDLER)
    assert EVERY_KEY["handlers"].keys() == built(grammar.HANDLERS)
    assert EVERY_TRIGGER_KEY.keys() == built(grammar.TRIGGER)
    assert RETRY.keys() == built(grammar.RETRY)
    assert EVERY_KEY["defaults"].keys() == built(grammar.DEFAULTS)

    wf = rebuilt(EVERY_KEY)
    assert wf.to_document() == EVERY_KEY
    assert same(wf.plan(), compile_text(json.dumps(EVERY_KEY))[0])

    words: dict[str, Any] = {name: 1 for name, key in grammar.WORKFLOW.keys.items() if key.refused}
    words_of_steps: dict[str, Any] = {name: 1 for name, key in grammar.STEP.keys.items() if key.refused}
    later = Workflow("later", **words)
    later.step("it", flow.pass_(), **words_of_steps)
    with pytest.raises(HostdError) as caught:
        later.plan()
    assert {fault.reason for fault in caught.value.violations} == {"NOT_YET_SUPPORTED"}
    assert {fault.file for fault in caught.value.violations} == {__file__}


# -- needs


def test_a_step_needs_what_it_reads() -> None:
    """In options, conditions and f-strings, unless it needs it by another way already."""
    wf = Workflow("needs")
    first = wf.step("first", use("shop.price"))
    second = wf.step("second", use("shop.price", x=f"a {first.output}"))
    wf.step("third", use("shop.price", x=[{"y": second.output, "z": first.output}]), needs=second)
    wf.step("fourth", use("shop.price"), when=fn.default(first.output.n, 0) > 1).needs("third")
    wf.step("fifth", use("shop.price"), needs=["second"]).retry(if_=wf.error.retryable & (first.attempts < 2))
    wf.step("sixth", use("shop.price", a=first.output, b=second.output.x))
    wf.step("apart", use("shop.price"))

    needs = {step_id: step.get("needs") for step_id, step in wf.to_document()["steps"].items()}

    assert needs == {
        "first": None,
        "second": "first",
        "third": "second",
        "fourth": "third",
        "fifth": ["second"],
        "sixth": ["first", "second"],
        "apart": None,
    }
    assert wf.plan().warnings == ()


# -- what it takes


class Coin(BaseModel):
    """An input as a model."""

    name: str
    amount: int = 1


@action("shop.price")
async def price(sku: str) -> str:
    """Return a price."""
    return sku


def test_models_functions_and_python_values_are_taken() -> None:
    """A model gives the schema, a function its id, a timedelta a duration, a keyword with `_` the key without."""
    wf = Workflow("taken", inputs=Coin, signals={"PAY": Coin})
    step = wf.step("a", price.step(sku=wf.input.name), timeout=timedelta(seconds=90), name="Price")
    wf.step("b", price, needs=[step], if_=False)
    wf.step("c", use("shop.odd", {"if": 1, "a-b": (1, 2)}, from_="x"))
    document = wf.to_document()

    assert document["inputs"] == document["signals"]["PAY"] == Coin.model_json_schema()
    assert document["steps"]["a"] == {
        "uses": "shop.price",
        "with": {"sku": "${{ input.name }}"},
        "timeout": "1m30s",
        "name": "Price",
    }
    assert document["steps"]["b"] == {"uses": "shop.price", "needs": ["a"], "if": False}
    assert document["steps"]["c"]["with"] == {"if": 1, "a-b": [1, 2], "from": "x"}
    assert wf.plan().steps[0].timeout_ms == 90_000


@dataclass
class Article:
    """What is sold; its number may be an expression."""

    sku: Any
    since: date = date(2026, 1, 2)


class Size(Enum):
    """How large."""

    LARGE = "large"


class Buyer(BaseModel):
    """Who buys."""

    name: str = "bo"


def test_what_an_action_takes_can_be_written_as_it_takes_it() -> None:
    """Dataclasses with expressions in them, models, enums, times; what is none of JSON's types is still told."""
    wf = Workflow("order")
    wf.step(
        "it", use("a.b", of=[Article(wf.input.sku)], by=Buyer(), size=Size.LARGE, at=datetime(2026, 1, 1, tzinfo=UTC))
    )
    assert wf.to_document()["steps"]["it"]["with"] == {
        "of": [{"sku": "${{ input.sku }}", "since": "2026-01-02"}],
        "by": {"name": "bo"},
        "size": "large",
        "at": "2026-01-01T00:00:00Z",
    }
    wf.step("odd", use("a.b", of=Article(object())))
    with pytest.raises(HostdError, match="steps.odd.with: Article is not a JSON value"):
        wf.to_document()


def test_a_value_is_left_out_or_null() -> None:
    """None is null in a document; what is not given is not there."""
    wf = Workflow("nulls", description=UNSET)
    wf.step("a", flow.pass_(output=None))
    wf.output(None)

    assert wf.to_document() == {
        "workflow": "nulls",
        "steps": {"a": {"uses": "flow.pass", "with": {"output": None}}},
        "output": None,
    }


# -- mistakes


def test_every_mistake_is_told_at_once_with_the_line_that_made_it() -> None:
    """Names, durations, options, needs, expressions and values, each in this file at its call."""
    wf = Workflow("Prices", timeout="5 parsecs")
    wf.step("fetch", http.request(ur="x"), timeot="5s")
    say = wf.step(
        "say",
        log.write(message="${{ steps.fetsh.output }}"),
    )
    say.retry(max_attempts=-1)
    say.needs("nobody")
    wf.step("fetch2", lua.script(script="return 1", input={1: 2}))
    wf.trigger("tick", cron.every(period="1 fortnight"))
    wf.output("${{ 1 + }}")
    wf.trigger("tick", cron.every(period="1h"), input=object())

    with pytest.raises(HostdError) as caught:
        wf.plan(PluginHost().load())

    assert caught.value.reason == "DOCUMENT_INVALID"
    assert {fault.file for fault in caught.value.violations} == {__file__}
    found = {(fault.path, linecache.getline(__file__, fault.line).strip()) for fault in caught.value.violations}
    assert found == {
        ("workflow", 'wf = Workflow("Prices", timeout="5 parsecs")'),
        ("timeout", 'wf = Workflow("Prices", timeout="5 parsecs")'),
        ("steps.fetch.timeot", 'wf.step("fetch", http.request(ur="x"), timeot="5s")'),
        ("steps.fetch.with.ur", 'wf.step("fetch", http.request(ur="x"), timeot="5s")'),
        ("steps.fetch.with.url", 'wf.step("fetch", http.request(ur="x"), timeot="5s")'),
        ("steps.say.with.message", 'log.write(message="${{ steps.fetsh.output }}"),'),
        ("steps.say.retry.max_attempts", "say.retry(max_attempts=-1)"),
        ("steps.say.needs", 'say.needs("nobody")'),
        ("steps.fetch2.with", 'wf.step("fetch2", lua.script(script="return 1", input={1: 2}))'),
        ("output", 'wf.output("${{ 1 + }}")'),
        ("triggers.tick", 'wf.trigger("tick", cron.every(period="1h"), input=object())'),
        ("triggers.tick.input", 'wf.trigger("tick", cron.every(period="1h"), input=object())'),
    }


def test_a_document_with_mistakes_is_not_written() -> None:
    """What no document can hold is told by `to_document` already."""
    wf = Workflow("odd")
    wf.step("a", use("shop.price", at=object()))
    with pytest.raises(HostdError, match=r"test_workflow.py:\d+:1 steps.a.with: object is not a JSON value"):
        wf.to_yaml()
