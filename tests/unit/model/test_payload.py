"""Values at rest."""

from __future__ import annotations

from hostd.model.payload import INLINE_BYTES_MAX, BlobRef, blob_digest, to_blob, value_size_bytes


def test_a_value_is_kept_in_the_record_up_to_32_kib_and_beside_it_past_that():
    """The digest is of exactly the stored bytes, and the size is that of the text wherever it lies."""
    small, large = b"x" * INLINE_BYTES_MAX, b"x" * (INLINE_BYTES_MAX + 1)
    assert to_blob(small) == (small, None)
    value, blob = to_blob(large)
    assert isinstance(value, BlobRef) and blob is not None
    assert (value.digest, value.size_bytes) == (blob.digest, len(large)) == (blob_digest(large), len(blob.data))
    assert value_size_bytes(small) + 1 == value_size_bytes(value)


def test_the_digest_of_a_blob_is_the_same_for_ever():
    """blake2b-256 of the empty text, as published."""
    assert blob_digest(b"").hex() == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
