"""Run ids and idempotency keys: golden values that every peer and every release must agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.model.ids import (
    SHARD_COUNT,
    created_ms,
    idempotency_key,
    is_run_id,
    make_run_id,
    placement_hash,
    placement_of,
    shard_of,
    stored_id,
    text_id,
)

PLACEMENTS = st.integers(0, 0xFFFF)
TIMES = st.integers(0, 2**48 - 1)
RANDOMS = st.integers(0, 2**66 - 1)

GOLDEN_PLACEMENTS = {
    ("default", "order", "key", "4711"): 0xDCD2,
    ("default", "order", "request", "4711"): 0xAC0F,
    ("default", "order", "random", "4711"): 0xFBA4,
    ("default", "other", "key", "4711"): 0x4A74,
    ("tenant-ü", "order", "key", "4711"): 0x131E,
    ("default", "order", "key", ""): 0x916D,
}


@pytest.mark.parametrize(("parts", "placement"), GOLDEN_PLACEMENTS.items())
def test_the_placement_hash_is_the_same_for_ever(parts, placement):
    """Another value would send a retried StartRun to another shard than its first try."""
    assert placement_hash(*parts) == placement


def test_a_run_id_is_the_same_for_ever():
    """Text form, stored form, and what can be read out of them."""
    run_id = make_run_id(0xBEEF, 1_700_000_000_000, 0x2_0123_4567_89AB_CDEF)
    assert run_id == "nrng32ufslk01028q5cu4qnjff"
    assert stored_id(run_id).hex() == "018bcfe568008048d159e26af37befbbc0"
    assert (placement_of(run_id), shard_of(run_id), created_ms(run_id)) == (0xBEEF, 0xBEE, 1_700_000_000_000)


def test_an_idempotency_key_is_the_same_for_ever():
    """A retried attempt must meet its first effect on the other side, whoever owns the run by then."""
    lineage = make_run_id(0xBEEF, 1_700_000_000_000, 42)
    assert idempotency_key(lineage, "", "charge") == "mqxauqsetrtwwlu4dvmyvezc4q"
    assert idempotency_key(lineage, "each/3", "charge", 3, 2) == "s6ix6akkxvsnbhaw4mfetsfivy"


@given(PLACEMENTS, TIMES, RANDOMS)
def test_a_run_id_carries_what_it_was_made_of(placement, time_ms, random):
    """And both forms are the same id."""
    run_id = make_run_id(placement, time_ms, random)
    assert is_run_id(run_id) and len(run_id) == 26
    assert (placement_of(run_id), created_ms(run_id)) == (placement, time_ms)
    assert shard_of(run_id) == placement >> 4 < SHARD_COUNT
    stored = stored_id(run_id)
    assert len(stored) == 17 and text_id(stored) == run_id


@given(st.tuples(TIMES, RANDOMS, PLACEMENTS), st.tuples(TIMES, RANDOMS, PLACEMENTS))
def test_the_stored_form_sorts_by_time(left, right):
    """So that an index of ids grows at its end; text ids of one placement sort by time too."""
    stored = [stored_id(make_run_id(placement, time_ms, random)) for time_ms, random, placement in (left, right)]
    assert (stored[0] < stored[1]) == (left < right)
    texts = [make_run_id(7, time_ms, random) for time_ms, random, _ in (left, right)]
    assert (texts[0] < texts[1]) == (left[:2] < right[:2])


@pytest.mark.parametrize("text", ["", "0" * 25, "0" * 27, "0" * 25 + "w", "0" * 25 + "A", "0" * 26 + "\n", "०" * 26])
def test_what_has_another_form_is_no_run_id(text):
    """Lower case, base32hex, 26 characters."""
    assert not is_run_id(text)


def test_an_idempotency_key_differs_in_every_part():
    """Two effects never share one."""
    keys = {
        idempotency_key("a", "", "s"), idempotency_key("b", "", "s"), idempotency_key("a", "x", "s"),
        idempotency_key("a", "", "t"), idempotency_key("a", "", "s", 1), idempotency_key("a", "", "s", 0, 1),
        idempotency_key("as", "", ""),
    }  # fmt: skip
    assert len(keys) == 7
