"""No form of a secret comes through, and JSON stays JSON."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from hostd.model.redaction import MARK, forms, redact, redact_bytes, redact_cut, shows

SECRET = 'p@ss "word"/ä\\+&=\n9'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps({"nested": SECRET}),
        json.dumps(json.dumps(SECRET)),
        repr(SECRET),
        str(URL("http://h/").with_path("/" + SECRET).raw_path),
        str(URL("http://h/").with_query({"q": SECRET}).raw_query_string),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"ab" + SECRET.encode() + b"tail").decode(),
    ],
)
def test_every_common_form_is_hidden(shown: str) -> None:
    """In text, and in JSON text at any place, keys included."""
    for text in (shown, f"before {shown} after"):
        assert MARK in redact(text, [SECRET])
        for value in ({"a": [text]}, {text: 1}, text):
            hidden = redact_bytes(json.dumps(value, ensure_ascii=False).encode(), [SECRET])
            assert MARK in json.dumps(json.loads(hidden))
            assert not any(form in json.dumps(json.loads(hidden), ensure_ascii=False) for form in forms(SECRET))


def test_a_number_that_shows_a_secret_becomes_text() -> None:
    """The output is still JSON; numbers that do not show it stay numbers."""
    assert json.loads(redact_bytes(b'{"id":12345678,"n":5,"t":true}', ["12345678"])) == {"id": MARK, "n": 5, "t": True}


def test_short_values_are_left() -> None:
    """Less than six bytes would hide half the text by chance."""
    assert redact("abc abcde", ["abcde", "abc"]) == "abc abcde"


def test_a_text_cut_in_the_midst_of_a_secret_shows_no_part_of_it() -> None:
    """A message of the longest length may end with the beginning of a secret."""
    assert redact_cut("x" * 20 + "tops", ["topsecret"], cut_chars=24) == "x" * 20 + MARK
    assert redact_cut("x tops", ["topsecret"], cut_chars=24) == "x tops"


@given(st.text(min_size=6, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_any_secret_is_hidden_in_base64_at_any_alignment(secret: str, before: bytes, after: bytes) -> None:
    """The part of the encoding that depends on the secret alone is not in the text any more."""
    try:
        raw = secret.encode()
    except UnicodeEncodeError:
        return
    text = base64.b64encode(before + raw + after).decode()

    assert MARK in redact(text, [secret])


@given(st.text(min_size=2, max_size=30).map(lambda text: f"Ab1{text}9"), st.lists(st.sampled_from("jJrb"), max_size=5))
def test_no_depth_of_escaping_hides_a_secret(secret: str, ways: list[str]) -> None:
    """JSON with and without ASCII, Python quotes and bytes, in each other to any depth: the text shows it no more."""
    text = f"x{secret}y"
    for way in ways:
        if way == "b" and any("\ud800" <= char <= "\udfff" for char in text):
            continue
        text = {
            "j": lambda given: json.dumps(given),
            "J": lambda given: json.dumps(given, ensure_ascii=False),
            "r": repr,
            "b": lambda given: repr(given.encode()),
        }[way](text)
    if len(secret.encode(errors="surrogatepass")) >= 6:
        hidden = redact(text, [secret])
        assert MARK in hidden, text
        assert shows(text, [secret])


def test_runs_of_backslashes_are_searched_once() -> None:
    """A text made to be slow to search takes no longer than another: each run is gone through once."""
    for secret in ('\\"\\"abcdef', "abc\\\\\\äöü\\", 'a"b"c"d\\\\"'):
        for text in ("\\" * 300_000, "a" + "\\" * 300_000, 'a\\"' * 100_000):
            assert redact(text, [secret]) == text
