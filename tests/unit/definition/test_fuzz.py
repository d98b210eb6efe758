"""Whatever text comes in, only HostdError comes out, and every mistake has a reason with a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hostd.definition.compile import compile_text, plan_from_stored
from hostd.definition.grammar import WORKFLOW
from hostd.definition.mistakes import format_violation
from hostd.definition.shapes import Named, Shape
from hostd.errors.base import HostdError
from hostd.errors.reasons import REASONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "workflow.md").read_text()
SEEDS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) + [
    path.read_text() for path in sorted((ROOT / "tests" / "golden" / "documents").glob("*.yaml"))
]
TOKENS = [
    *"{}[]:,&*!|>'\"%@`#?-~$\n\t ",
    ": ",
    "- ",
    "${{ ",
    " }}",
    "$${{",
    "<<: ",
    "&a ",
    "*a",
    "---\n",
    "null",
    "true",
    "1e999",
    "-1",
    "0",
    "9" * 30,
    "steps",
    "uses",
    "with",
    "needs",
    "if",
    "retry",
    "flow.wait",
    "flow.end",
    "secrets.a",
    "steps.a.output",
    "always()",
    "1h",
    "\x00",
    "\x85",
    "\u2028",
    "é",
    "😀",
    "\ud800",
    "\ufeff",
]


def survives(text: str | bytes) -> None:
    """Compile a text; anything but a plan or a clean error is a bug."""
    error = None
    try:
        plans = compile_text(text, file="fuzz.yaml")
    except HostdError as raised:
        error, plans = raised, []
    for plan in plans:
        assert plan_from_stored(plan.document).digest == plan.digest
    if error is not None:
        assert (error.reason, bool(error.violations)) == ("DOCUMENT_INVALID", True)
        for fault in error.violations:
            assert fault.reason in REASONS, fault
            assert "\n" not in format_violation(fault)


def mutated(text: str, random: Random) -> str:
    """Return a text with a few random cuts, insertions, doublings and swaps of lines."""
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(text) + 1)
        match random.randrange(5):
            case 0:
                text = text[:at] + text[at + random.randint(1, 12) :]
            case 1:
                text = text[:at] + random.choice(TOKENS) + text[at:]
            case 2:
                end = at + random.randint(1, 60)
                text = text[:end] + text[at:end] + text[end:]
            case 3:
                lines = text.split("\n")
                first, second = random.randrange(len(lines)), random.randrange(len(lines))
                lines[first], lines[second] = lines[second], lines[first]
                text = "\n".join(lines)
            case _:
                lines = text.split("\n")
                line = random.randrange(len(lines))
                lines[line] = "  " * random.randint(0, 3) + lines[line].strip()
                text = "\n".join(lines)
    return text


@given(st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_documents_never_break_the_compiler(random: Random) -> None:
    """Sound and faulty documents, cut and stirred."""
    survives(mutated(random.choice(SEEDS), random))


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
@example("workflow: a\nsteps: {a: {uses: flow.wait, with: {until: 1}}}")
@example("? - a\n: b\n")
def test_token_soup_never_breaks_the_compiler(text: str) -> None:
    """Every character YAML gives a meaning, in any order."""
    survives(text)
    survives(f"workflow: a\nsteps:\n  a: {{uses: x.y, with: {{v: {text}}}}}\n  b: {text}\n")


ODD_VALUES: list[Any] = [
    *(None, True, 0, -1, 2.5, 1e300, [], {}, [None], {"": 1}, {"a": {}}, ["a", "a"]),
    *("", " ", "a", "a.b", "1s", "0s", "always()", "${{ }}", "${{ steps.a.output }}", "$${{", "}}", "!"),
    *("flow.end", "flow.wait", "http.request", "é" * 99),
]
ODD = st.sampled_from(ODD_VALUES)


def stirred(spec: Any) -> st.SearchStrategy[Any]:
    """Return values that fit a spec now and then, with odd ones anywhere."""
    if isinstance(spec, Shape):
        fields = {name: stirred(key.spec) for name, key in spec.keys.items()}
        return st.one_of(st.fixed_dictionaries({}, optional=fields), ODD) if fields else ODD
    if isinstance(spec, Named):
        return st.dictionaries(st.sampled_from(["a", "b", "in", "x-y", ""]), stirred(spec.item), max_size=3) | ODD
    return ODD


@given(stirred(WORKFLOW))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_documents_of_the_right_shape_with_odd_values_never_break_the_compiler(document: Any) -> None:
    """Every key of the grammar, with values of every type."""
    survives(json.dumps(document))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_never_break_the_compiler(data: bytes) -> None:
    """Not even text."""
    survives(data)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(8))
def test_thousands_of_mutated_documents(seed: int) -> None:
    """The same, thousands of times."""
    random = Random(seed)
    for _ in range(2_500):
        survives(mutated(random.choice(SEEDS), random))
