"""What holds for every test."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy one, too
settings.load_profile("any machine")
for _inherited in ("COLUMNS", "LINES"):  # of the terminal the tests were begun in: what wraps lines, wraps them as ever
    os.environ.pop(_inherited, None)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Leave the process's logging as it was found: a command or a daemon run inside a test configures it."""
    root, ours = logging.getLogger(), logging.getLogger("hostd")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
