"""What failures of schema.validate are called."""

from __future__ import annotations

CODES = {
    "VALUE_INVALID": "The value has faults: `error.details.faults` lists them. Not retryable: it would not change.",
    "SCHEMA_INVALID": "The schema itself is wrong, refers to something outside of it, or has more than 256 KiB.",
}
