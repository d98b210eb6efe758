"""Documents as programs hand them in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostd.embedding.workflow import Workflow
from hostd.errors.base import invalid
from hostd.values.json_text import dump_json

Written = str | bytes | Path | Mapping[str, Any] | Workflow
"""A document's text, a file that holds it, the document as a mapping, or a builder."""


def text_of_document(document: Written) -> tuple[bytes, str]:
    """Return a document's text, and the file it stands in. Blocks, shortly.

    Raises:
        HostdError: ARGUMENT_INVALID for a file that cannot be read; as of `Workflow.to_document`; PAYLOAD_INVALID.
    """
    if isinstance(document, Workflow):
        return document.to_yaml().encode(), ""
    if isinstance(document, Path):
        return _read(document), str(document)
    if isinstance(document, str):
        return document.encode("utf-8", "surrogatepass"), ""
    if isinstance(document, bytes):
        return document, ""
    return dump_json(document), ""


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{file} cannot be read: {error.strerror}") from None
