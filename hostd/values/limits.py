"""Sizes that several rooms and the SDK hold to."""

OUTPUT_BYTES_MAX = 16 * 1024 * 1024
"""Of a step's or a run's output, as JSON text."""
