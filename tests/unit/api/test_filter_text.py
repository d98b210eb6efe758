"""Filters as clients write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.api.filter_text import DEPTH_MAX, TERMS_MAX, parse_filter
from hostd.errors.base import HostdError
from hostd.journal.filters import matches
from hostd.journal.port import RunRow
from hostd.model.filters import And, Compare, In, Not, Or, StartsWith
from hostd.model.states import RunState

ROW = RunRow(
    run=1, namespace="default", run_id=b"", workflow="order", version="1.0.0", key='a"b', state=RunState.FAILED,
    reason="RUN_TIMEOUT", labels={"team": "a", "x/y": "1"}, trigger="every", parent="", created_at_ms=1_000,
    ended_at_ms=2_000, due_at_ms=0, owes=False,
)  # fmt: skip
LIVE = RunRow(
    run=2, namespace="default", run_id=b"", workflow="order", version="1.0.0", key="", state=RunState.RUNNING,
    reason="", labels={}, trigger="", parent="", created_at_ms=1_000, ended_at_ms=0, due_at_ms=0, owes=False,
)  # fmt: skip


def test_the_tree_says_what_the_text_says() -> None:
    """&& binds before ||, ! before both, and values have their field's own type."""
    tree = parse_filter('workflow == "w" || !(state in ["FAILED", "TIMED_OUT"]) && labels.team.startsWith("a")')
    assert tree == Or(
        (Compare("workflow", "=", "w"), And((Not(In("state", (11, 13))), StartsWith("labels.team", "a"))))
    )


@pytest.mark.parametrize("text", [
    'workflow == "order"', "key == 'a\"b'", r'key == "a\"b"', 'state != "SUCCEEDED"', 'labels["x/y"] == "1"',
    'labels.none == ""', 'create_time >= "1970-01-01T00:00:01Z"', 'end_time < "1970-01-01T00:00:03+00:00"',
    'reason in ["A", "RUN_TIMEOUT"]', 'version > "0.9"', '!!(parent == "")', ' trigger.startsWith( "ev" ) ',
])  # fmt: skip
def test_what_holds_for_a_run(text: str) -> None:
    """Text to tree to a row: each of these is true for the run."""
    assert matches(parse_filter(text), ROW)


@pytest.mark.parametrize("text", ['end_time < "2030-01-01T00:00:00Z"', 'end_time != "2030-01-01T00:00:00Z"'])
def test_a_live_run_has_no_end(text: str) -> None:
    """No comparison with end_time holds for a run that has not ended."""
    assert not matches(parse_filter(text), LIVE)


@pytest.mark.parametrize("text", [
    "workflow", "workflow = 'a'", 'workflow == "a" &&', '"a" == workflow', 'input.x == "1"', 'state > "FAILED"',
    'state == "DONE"', 'create_time > "yesterday"', 'state.startsWith("F")', "key == 1", 'key == "a', 'labels == "a"',
    'labels. == "a"', '(key == "a"', 'key == "a")', 'key == "\\q"', "key in []extra", 'key == "a" ; drop', "🦊",
    "!" * (DEPTH_MAX + 1) + 'key == "a"', "(" * (DEPTH_MAX + 1),
    " && ".join(['key == "a"'] * (TERMS_MAX + 1)), "x" * 5_000,
])  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_fields(text: str) -> None:
    """Each is INVALID_FILTER, and the error names the indexed fields."""
    with pytest.raises(HostdError) as caught:
        parse_filter(text)
    assert caught.value.reason == "INVALID_FILTER"
    assert "create_time" in caught.value.details["fields"]


@given(st.lists(st.sampled_from(
    ["key", "state", "labels", ".", "team", "==", "<", "in", "[", "]", "(", ")", ",", '"a"', "'FAILED'", "&&", "||",
     "!", "startsWith", "end_time", '"1970-01-01T00:00:01Z"']
), max_size=30).map(" ".join) | st.text(max_size=60))  # fmt: skip
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever is sent is read or refused, and what is read can be asked of a run."""
    try:
        tree = parse_filter(text)
    except HostdError as error:
        reason = error.reason
    else:
        reason = ""
        assert matches(tree, ROW) in (True, False)
    assert reason in ("", "INVALID_FILTER")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input.n == 3", "at column 1: input is not an indexed field"),
        ("workflow == 3.5", "at column 13: 3 stands where a text in quotes should, for workflow"),
        ('state = "FAILED"', "at column 7: = stands where ==, "),
        ('key == "a', 'at column 8: " stands where a text in quotes should'),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(text: str, said: str) -> None:
    """What the language does not have is refused where it stands, behind what is wrong before it."""
    with pytest.raises(HostdError) as caught:
        parse_filter(text)
    assert said in caught.value.message


def test_nothing_is_no_filter() -> None:
    """Empty text asks for every run."""
    assert parse_filter(" \n") is None
