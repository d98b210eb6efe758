"""Blobs that a run's values name: the run holds them too, or they would go with the run that kept them.

What an action kept goes into values as `{"$blob": "<digest>", ...}` (`hostd.plugin.BlobRef.to_json`), and with values
to other runs: as input, through an event, in an output. Found here by its text, in records and values as they are kept.
"""

from __future__ import annotations

import re
from itertools import islice

CARRIED_MAX = 10_000
"""References in one value that hold their blobs; as many as a run may keep."""

BLOB_MARK = b'"$blob"'
"""Use `find`: `in` asks bytes first whether the mark is a number, which takes a microsecond."""

_REFERENCE = re.compile(rb'"\$blob"\s*:\s*"([0-9a-f]{64})"')


def carried_blobs(data: bytes) -> list[bytes]:
    """Return the digests that stored bytes name, each once. Nearly always none: find BLOB_MARK before you ask."""
    found = dict.fromkeys(match[1] for match in _REFERENCE.finditer(data))
    return [bytes.fromhex(digest.decode()) for digest in islice(found, CARRIED_MAX)]
