"""W3C trace context as texts."""

from __future__ import annotations

import pytest

from hostd.values.trace import event_trace, headers_of, is_sampled, read_trace, run_trace_id, span_of, trace_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "parent, state, text",
    [
        (PARENT, "", PARENT),
        (PARENT, "a=1,b=2", f"{PARENT} a=1,b=2"),
        (PARENT, "x" * 513, PARENT),
        (PARENT, "a=\n1", PARENT),
        (PARENT.replace("00-", "cc-", 1) + "-what-will-be-the-future", "", PARENT),
        (PARENT[:-2] + "03", "", PARENT),
        (PARENT[:-2] + "02", "", PARENT[:-2] + "00"),
        (PARENT + "-more", "", ""),
        (PARENT.upper(), "", ""),
        (PARENT.replace("00-", "ff-", 1), "", ""),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", "", ""),
        (f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", "", ""),
        ("", "a=1", ""),
        (7, "", ""),
        (None, None, ""),
    ],
)
def test_what_comes_in_is_checked_as_the_standard_says(parent: object, state: object, text: str) -> None:
    """A wrong parent is ignored with its state, a wrong state is ignored alone, a later version is read as this one."""
    assert read_trace(parent, state) == text


def test_a_kept_text_goes_out_as_it_came() -> None:
    """Headers, and the attributes of an event, are read and written without loss; nothing gives nothing."""
    text = read_trace(PARENT, "a=1 ,b=2")
    assert headers_of(text) == {"traceparent": PARENT, "tracestate": "a=1 ,b=2"}
    assert event_trace(headers_of(text)) == text
    found = trace_of(text)
    assert found is not None
    assert (found.headers(), found.text()) == (headers_of(text), text)
    assert (headers_of(""), trace_of(""), event_trace({"tracestate": "a=1"})) == ({}, None, "")


def test_ids_of_spans_are_the_same_wherever_they_are_made() -> None:
    """A run has the trace it was started in, else one of its own; steps and attempts have ids of their own."""
    assert run_trace_id("r1", PARENT) == PARENT[3:35]
    assert run_trace_id("r1", "") == run_trace_id("r1", "") != run_trace_id("r2", "")
    spans = {span_of("r1"), span_of("r1", "a"), span_of("r1", "a", 1), span_of("r1", "a", 2), span_of("r2", "a", 2)}
    assert len(spans) == 5
    assert {len(span) for span in spans} == {16}


def test_a_share_of_traces_is_sampled_by_their_ids() -> None:
    """About the share is taken, and whoever knows the id decides alike."""
    ids = [run_trace_id(str(number), "") for number in range(2_000)]
    taken = sum(is_sampled(one, 0.25) for one in ids)
    assert 400 < taken < 600
    assert all(is_sampled(one, 1.0) for one in ids)
    assert not any(is_sampled(one, 0.0) for one in ids)
