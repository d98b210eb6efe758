"""Reading a run: steps by name, null with its reason, blobs, status, randomness."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.definition.expressions.expression import compile_expression
from hostd.definition.plan import BlobNeeded
from hostd.errors.base import HostdError

ROOTS = frozenset({"input", "steps", "env", "run"})


def _compile(source: str, path: str = "if") -> Any:
    return compile_expression(source, roots=ROOTS, path=path)


def test_reads_are_known_before_evaluating() -> None:
    """Steps, roots, names of the environment and status functions are told by the compiled form."""
    one = _compile("steps.a.output.n > 0 && steps['b'].result == env.MODE && has(env.X) && failed()")
    assert one.reads_steps == {"a", "b"}
    assert one.reads_roots == {"steps", "env"}
    assert one.reads_env == {"MODE", "X"}
    assert one.uses_status == {"failed"}


def test_only_what_is_needed_is_read(made_up_scope: Any) -> None:
    """A side that does not matter is not read, so a blob behind it is not fetched."""
    scope = made_up_scope({"input": {"go": True}}, {"a": {"output": b"digest"}})
    assert _compile("input.go || steps.a.output.x").evaluate(scope) is True
    assert scope.asked == []


def test_blob_passes_through_everything(made_up_scope: Any) -> None:
    """A value in a blob is no error: neither `||` nor default() take it for one."""
    scope = made_up_scope({}, {"a": {"output": b"digest"}})
    for source in ("steps.a.output.x || true", "default(steps.a.output.x, 1)", "[1].exists(i, steps.a.output.x == i)"):
        with pytest.raises(BlobNeeded):
            _compile(source).evaluate(scope)


def test_null_output_says_why(made_up_scope: Any) -> None:
    """Null has no members, and the message tells what became of the step."""
    scope = made_up_scope({}, {"x": {"state": "SKIPPED"}})
    with pytest.raises(HostdError, match=r"if: `steps.x.output.n.m`: `steps.x.output` is null \(x was SKIPPED\)"):
        _compile("steps.x.output.n.m").evaluate(scope)
    assert _compile("default(steps.x.output.n, 0)").evaluate(scope) == 0
    assert _compile("steps.x.output == null").evaluate(scope) is True


def test_step_that_has_not_ended(made_up_scope: Any) -> None:
    """Reading a step that has not ended fails with the scope's sentence, outside default()."""
    scope = made_up_scope()
    with pytest.raises(HostdError, match="`steps.x.output`: step `x` has not ended; add it to `needs`"):
        _compile("steps.x.output.n").evaluate(scope)
    assert _compile("default(steps.x.output.n, 'later')").evaluate(scope) == "later"


def test_whole_step_is_its_five_fields(made_up_scope: Any) -> None:
    """`steps.x` is a map of the fields every step has."""
    scope = made_up_scope({}, {"x": {"output": {"n": 1}, "state": "SUCCEEDED", "result": "SUCCEEDED", "attempts": 2}})
    assert _compile("steps.x").evaluate(scope) == {
        "output": {"n": 1},
        "state": "SUCCEEDED",
        "result": "SUCCEEDED",
        "error": None,
        "attempts": 2,
    }


def test_output_is_passed_on_without_copy_or_limit(made_up_scope: Any) -> None:
    """A value that is only passed on may be larger than a result, and is not copied."""
    rows = [{"id": number} for number in range(50_000)]
    scope = made_up_scope({}, {"x": {"output": rows}})
    assert _compile("steps.x.output").evaluate(scope) is rows
    assert _compile("default(steps.x.output, [])").evaluate(scope) is rows
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        _compile("{'rows': steps.x.output}").evaluate(scope)


def test_status_functions_ask_the_scope(made_up_scope: Any) -> None:
    """Status functions are answered by the scope."""
    assert _compile("failed() && always() && !succeeded()").evaluate(made_up_scope()) is True


def test_random_values_repeat_for_a_field_and_differ_between_fields(made_up_scope: Any) -> None:
    """Rendering again gives the same random values; another field and another call give others."""
    scope = made_up_scope()
    source = "[uuid(), uuid(), string(random()), string(randomInt(0, 1000000))]"
    one, again, other = (_compile(source, path).evaluate(scope) for path in ("with.a", "with.a", "with.b"))
    assert one == again
    assert len({*one, *other}) == 8
    assert one[0][14] == "4"
