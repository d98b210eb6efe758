"""A snapshot is the state, to the last field: what goes on from it goes on as if every record had been folded."""

from __future__ import annotations

import base64
import json
from array import array
from pathlib import Path
from typing import Any

import msgspec
import plans
import pytest
from golden_journals import SNAPSHOTS, golden_history, history_plan, played
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playbook import Playbook, done, error, start
from random_runs import MOVES, Player, check_end, random_plans

from hostd.engine.evolve import evolve, fold
from hostd.engine.snapshot import SNAPSHOT_VER, RunSnapshot, decode_snapshot, encode_snapshot
from hostd.engine.state import Run


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_plans(), MOVES, st.data())
def test_what_goes_on_from_a_snapshot_is_what_folding_everything_gives(plan: Any, moves: Any, data: Any) -> None:
    """Whatever happened and wherever the snapshot was taken, the tail on top of it leads to the same state."""
    player = Player(plan)
    for kind, which, random in moves:
        player.play(kind, which, random)
    player.finish()
    history = player.book.history
    at = data.draw(st.integers(1, len(history)))
    then = fold(plan, history[:at])

    run = decode_snapshot(plan, encode_snapshot(then))

    assert run.snapshot_key() == then.snapshot_key()
    for at_ms, record in history[at:]:
        evolve(run, record, at_ms)
    assert run.snapshot_key() == player.run.snapshot_key()
    check_end(run)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_plans(), MOVES)
def test_a_run_is_decided_about_from_its_snapshot(plan: Any, moves: Any) -> None:
    """A run that is stored and loaded before each message is decided about as one that stayed in memory."""
    player = Player(plan)
    for kind, which, random in moves:
        player.book.run = decode_snapshot(plan, encode_snapshot(player.run))
        player.play(kind, which, random)
    player.finish()
    check_end(player.run)


def test_every_field_of_a_run_is_in_its_snapshot() -> None:
    """A field that is added to the state and forgotten here would be lost with the first eviction."""
    assert RunSnapshot.__struct_fields__[1:] == Run.__struct_fields__[1:]


def test_a_step_with_hundreds_of_needs_counts_them_all() -> None:
    """Counters past a byte come back as what they were."""
    width = 300
    steps = [plans.step(f"s{n}") for n in range(width)]
    plan = plans.plan(*steps, plans.step("last", needs=[f"s{n}" for n in range(width)]))
    book = (Playbook(plan) >> start()).skip()
    (book >> done("s0", 1)).skip()
    assert book.run is not None

    run = decode_snapshot(plan, encode_snapshot(book.run))

    assert isinstance(run.open_needs, array)
    assert run.open_needs[-1] == width - 1
    assert run.snapshot_key() == book.run.snapshot_key()


def test_runs_from_snapshots_share_what_is_empty() -> None:
    """A million loaded runs have one empty mapping, as fresh ones do; and none of them changes it."""
    plan = plans.plan(plans.step("a"))
    book = (Playbook(plan) >> start()).skip()
    assert book.run is not None
    first = decode_snapshot(plan, encode_snapshot(book.run))
    book.run = decode_snapshot(plan, encode_snapshot(book.run))
    (book >> error("a", retryable=False)).skip()

    assert first.step_failures is Run(plan).step_failures
    assert not first.step_failures and book.run.step_failures


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: [2, *raw[1:]],
        lambda raw: [raw[0], SNAPSHOT_VER + 1, *raw[2:], "a field of tomorrow"],
        lambda raw: [raw[0], SNAPSHOT_VER + 1, {"all": "new"}],
        lambda raw: raw[:20],
        lambda raw: {"no": "array"},
    ],
    ids=["kind", "version", "other", "short", "map"],
)
def test_what_this_build_cannot_read_is_no_snapshot(damage: Any) -> None:
    """Another kind, a higher version or anything else is refused, so that the run is folded anew."""
    book = played()
    assert book.run is not None
    raw = msgspec.msgpack.decode(encode_snapshot(book.run))

    with pytest.raises(ValueError, match="snapshot"):
        decode_snapshot(history_plan(), msgspec.msgpack.encode(damage(raw)))


def test_a_snapshot_of_another_plan_is_refused() -> None:
    """A snapshot with another number of steps is of another document."""
    book = played()
    assert book.run is not None

    with pytest.raises(ValueError, match="of 5 steps, the plan of 1"):
        decode_snapshot(plans.plan(plans.step("a")), encode_snapshot(book.run))


@pytest.mark.parametrize("file", sorted(SNAPSHOTS.glob("*.json")), ids=lambda file: file.stem)
def test_snapshots_of_earlier_releases_are_read(file: Path) -> None:
    """What any release wrote after any record of the golden run is the state that folding gives today."""
    history = golden_history(file.stem.partition("+")[0])
    for seq, body in json.loads(file.read_text())["snapshots"]:
        run = decode_snapshot(history_plan(), base64.b64decode(body))
        assert run.snapshot_key() == fold(history_plan(), history[:seq]).snapshot_key()


def test_this_release_has_its_golden_snapshots() -> None:
    """The version that writes snapshots keeps what it wrote."""
    files = [json.loads(file.read_text()) for file in SNAPSHOTS.glob("*.json")]

    assert any(file["ver"] == SNAPSHOT_VER for file in files)
