"""Ids of requests that belong together."""

from __future__ import annotations

import hashlib


def id_of_page(request_id: str, after: int) -> str:
    """Return the request id of a page of a request that goes on behind `after`, 0 for the first page.

    Each page is a request of its own, and has the same id again when all of them are repeated. Empty for none.
    """
    if not request_id or not after:
        return request_id
    return hashlib.blake2b(f"{request_id}\n{after}".encode(), digest_size=16).hexdigest()
