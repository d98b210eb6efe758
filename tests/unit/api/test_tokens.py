"""Tokens are opaque, bound to their request and cannot be made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.api.tokens import Position, Tokens, scope_of
from hostd.errors.base import HostdError

HERE = Tokens(key=b"k" * 32, timeline="journal-1")
SCOPE = scope_of("ListRuns", "default", 'state == "FAILED"')


@given(st.integers(0, 2**63 - 1) | st.text(max_size=100) | st.lists(st.text(max_size=50), max_size=3))
def test_a_position_comes_back(position: Position) -> None:
    """What a token was made of is what it says, also for another daemon on the same journal."""
    twin = Tokens(key=b"k" * 32, timeline="journal-1")
    assert twin.read_page(HERE.page(SCOPE, position), SCOPE) == position
    assert twin.read_watch(HERE.watch(SCOPE, position), SCOPE) == position


def test_every_damage_is_noticed() -> None:
    """No single changed or missing character leaves a token that is read."""
    token = HERE.watch(SCOPE, 77)
    for at, char in enumerate(token[:-1]):  # the last one carries bits that nothing depends on
        for damaged in (token[:at] + ("A" if char != "A" else "B") + token[at + 1 :], token[:at] + token[at + 1 :]):
            with pytest.raises(HostdError, match="RESUME_TOKEN_INVALID"):
                HERE.read_watch(damaged, SCOPE)


@pytest.mark.parametrize("reader, scope, reason", [
    (HERE, scope_of("ListRuns", "default", ""), "PAGE_TOKEN_INVALID"),
    (Tokens(key=b"x" * 32, timeline="journal-1"), SCOPE, "PAGE_TOKEN_INVALID"),
    (Tokens(key=b"k" * 32, timeline="journal-2"), SCOPE, "PAGE_TOKEN_INVALID"),
])  # fmt: skip
def test_a_page_token_belongs_to_one_request(reader: Tokens, scope: bytes, reason: str) -> None:
    """Another filter, key or journal refuses it."""
    with pytest.raises(HostdError, match=reason):
        reader.read_page(HERE.page(SCOPE, 5), scope)


def test_a_restored_journal_expires_resume_tokens() -> None:
    """The same key on another timeline: the positions mean something else, and the client is told to begin anew."""
    restored = Tokens(key=b"k" * 32, timeline="journal-2")
    with pytest.raises(HostdError, match="RESUME_TOKEN_EXPIRED"):
        restored.read_watch(HERE.watch(SCOPE, 5), SCOPE)


def test_the_two_forms_are_not_mistaken() -> None:
    """A page token resumes no watch, and a resume token turns no page."""
    with pytest.raises(HostdError, match="RESUME_TOKEN_INVALID"):
        HERE.read_watch(HERE.page(SCOPE, 5), SCOPE)
    with pytest.raises(HostdError, match="PAGE_TOKEN_INVALID"):
        HERE.read_page(HERE.watch(SCOPE, 5), SCOPE)


@given(st.text(max_size=200) | st.text("abcAB019_-", max_size=200))
def test_made_up_tokens_are_refused(token: str) -> None:
    """Whatever is sent as a token is refused by its reason."""
    with pytest.raises(HostdError, match="PAGE_TOKEN_INVALID"):
        HERE.read_page(token, SCOPE)
