"""Properties of the whole engine over random plans and random dialogues.

After each message the playbook checks that the state passed in was left alone and that folding all records from nothing
gives the state; the player checks answers, repeats and due times.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_runs import MOVES, Player, check_end, check_history, random_plans

from hostd.engine.evolve import evolve
from hostd.engine.state import Run
from hostd.journal.codec import decode_records, encode_records


def play_through(plan, moves):
    """Play a dialogue to the end and check everything that must hold; return the player."""
    player = Player(plan)
    for kind, which, random in moves:
        player.play(kind, which, random)
    player.finish()
    check_end(player.run)
    check_history(plan, player.book.history)
    check_prefixes(player.book)
    return player


def check_prefixes(book):
    """Replaying record by record reaches every state there was, also through the journal's encoding."""
    run = Run(book.plan)
    expected = dict(book.prefixes)
    for number, (at_ms, record) in enumerate(book.history, 1):
        (stored,) = decode_records(encode_records([record]))
        evolve(run, stored, at_ms)
        if number in expected:
            assert run.snapshot_key() == expected[number]
    assert run.seq == len(book.history)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_plans(), MOVES)
def test_any_dialogue_leads_to_an_end_and_to_a_sound_history(plan, moves):
    """Steps begin after their needs, end once and all; nothing starts in a pause; the run ends; folding agrees."""
    play_through(plan, moves)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_plans(), MOVES)
@pytest.mark.timeout(1_800)
def test_very_many_dialogues(plan, moves):
    """The same, for a long time."""
    play_through(plan, moves)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_plans(), MOVES, st.integers(0, 60))
def test_terminate_is_the_last_word_wherever_it_comes(plan, moves, when):
    """One record, and whatever comes later decides nothing."""
    player = Player(plan)
    for kind, which, random in moves[:when]:
        player.play(kind, which, random)
    player.play("terminate", 0, 0.0)
    length = len(player.book.history)
    for message in list(player.heard):
        assert not player.say(message)
    check_end(player.run)
    check_history(plan, player.book.history)
    assert len(player.book.history) == length
    check_prefixes(player.book)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_plans(), MOVES)
def test_the_same_dialogue_gives_the_same_history(plan, moves):
    """Deciding depends on nothing but what it is given."""
    first, second = play_through(plan, moves), play_through(plan, moves)
    assert first.book.history == second.book.history
