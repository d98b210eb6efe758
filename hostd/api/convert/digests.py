"""What a repeated request id is compared by."""

from __future__ import annotations

import hashlib

from hostd.api.convert.checks import check_request_id
from hostd.model.requests import Repeat
from hostd.values.json_text import JsonValue, canonical_json


def repeat_of(request_id: str, fields: dict[str, JsonValue], path: str = "request_id") -> Repeat | None:
    """Return how a repetition is known; None where the caller sent no id.

    Args:
        fields: the request's named fields; 16 bytes of blake2b over their canonical form stand for them.
    """
    if not request_id:
        return None
    digest = hashlib.blake2b(canonical_json(fields), digest_size=16).digest()
    return Repeat(check_request_id(request_id, path), digest)
