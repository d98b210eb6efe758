"""Ids of requests that belong together."""

from __future__ import annotations

from hostd.values.request_ids import id_of_page


def test_pages_have_ids_of_their_own_and_the_same_again() -> None:
    """The first has the request's; who gave none gets none."""
    pages = [id_of_page("r-1", after) for after in (0, 1_000, 2_000)]
    assert pages[0] == "r-1"
    assert len(set(pages)) == 3
    assert pages == [id_of_page("r-1", after) for after in (0, 1_000, 2_000)]
    assert id_of_page("", 1_000) == ""
    assert all(len(page) <= 128 for page in pages)
