"""W3C trace context of whoever calls, as metadata of a call."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

from hostd.client.typed_errors import bad_argument

Metadata = tuple[tuple[str, str], ...]
RESERVED = ("authorization", "grpc-")


def current_trace() -> Metadata:
    """Return the context of OpenTelemetry's current span; nothing where the program does not use OpenTelemetry."""
    if "opentelemetry.trace" not in sys.modules:
        return ()
    carrier: dict[str, str] = {}
    importlib.import_module("opentelemetry.propagate").inject(carrier)
    return tuple((name.lower(), value) for name, value in carrier.items())


def checked_metadata(given: Mapping[str, str]) -> Metadata:
    """Return metadata as calls carry it. Raises ARGUMENT_INVALID for a name or value that gRPC does not carry."""
    for name, value in given.items():
        plain = name.isascii() and name == name.lower() and name.replace("-", "").replace("_", "").isalnum()
        if not plain or name.startswith(RESERVED) or name.endswith("-bin"):
            raise bad_argument(f"the metadata {name[:60]!r} is not a name in small letters that is free")
        if not (value.isascii() and value.isprintable()):
            raise bad_argument(f"the metadata {name[:60]!r} holds what no header can")
    return tuple(given.items())
