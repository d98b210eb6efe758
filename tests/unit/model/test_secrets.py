"""Secrets stay names."""

from __future__ import annotations

import msgspec
import pytest

from hostd.journal.codec import decode_plain, encode_plain
from hostd.model.secrets import SecretRef, SecretText, encode_secret, has_secret, secret_names

VALUE = {"url": SecretRef("hook"), "headers": [{"auth": SecretText(("Bearer ", SecretRef("token")))}], "n": 1}


def test_secrets_are_found_wherever_they_stand():
    """In lists, maps and joined texts."""
    assert has_secret(VALUE) and secret_names(VALUE) == {"hook", "token"}
    assert not has_secret({"a": ["hook"]}) and secret_names([1, "hook"]) == set()


def test_secrets_come_back_from_their_extension():
    """A text that is one secret is not the same as a whole field that is it."""
    parts = SecretText((SecretRef("a"),)), SecretText(("x", SecretRef("a"), "y")), SecretRef("a")
    assert decode_plain(encode_plain(VALUE)) == VALUE
    assert [decode_plain(encode_plain(part)) for part in parts[1:]] == [*parts[1:]]


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
def test_no_encoder_writes_a_secret_by_accident(encode):
    """Without the hook there is an error, not a text."""
    with pytest.raises(TypeError):
        encode(VALUE)


def test_a_map_that_looks_like_a_secret_has_another_digest():
    """What the options' digest covers tells them apart."""
    encoder = msgspec.msgpack.Encoder(enc_hook=encode_secret, order="deterministic")
    looks = [SecretRef("a"), {"name": "a"}, ["a"], [["a"]], "a", SecretText(("a",))]
    assert len({encoder.encode(value) for value in looks}) == len(looks)
