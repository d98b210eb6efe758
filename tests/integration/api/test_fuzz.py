"""Requests nobody would send: whatever they hold, the answer is a message or a reason, never a mistake of ours."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from daemon_kit import ECHO, FAIL, WAIT, Kit, running
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_requests import METHODS, answer, made


class Host:
    """A host on a loop of its own, for tests that are no coroutines."""

    def __init__(self, data: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = running(data)
        self.kit: Kit = self.runner.run(self._context.__aenter__())
        for document in (ECHO, WAIT, FAIL):
            self.runner.run(self.kit.register(document))

    def close(self) -> None:
        """Stop it."""
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()

    def call(self, method: MethodDescriptor, dice: Random) -> None:
        """Send a request and check the answer."""
        self.runner.run(answer(self.kit, method, made(method, dice)))


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """One host for all requests of this module."""
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder) / "d")
        yield host
        host.close()


METHOD, DICE = st.sampled_from(METHODS), st.randoms(use_true_random=False)
_HOW: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=400, **_HOW)
@given(method=METHOD, dice=DICE)
def test_requests_are_answered_or_refused_with_a_reason(host: Host, method: MethodDescriptor, dice: Random) -> None:
    """Any message a client can make gets an answer or a reason that has a page."""
    host.call(method, dice)


@pytest.mark.slow
@settings(max_examples=10_000, **_HOW)
@given(method=METHOD, dice=DICE)
def test_thousands_of_requests_are_answered(host: Host, method: MethodDescriptor, dice: Random) -> None:
    """The same, for longer."""
    host.call(method, dice)
