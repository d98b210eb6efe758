"""Saying which keys of the configuration a test shows the effect of; tests/tidy asks that each key has one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from lab import HARMFUL, Lab

from hostd.aio import Clock
from hostd.config.reference import config_keys
from hostd.config.rooms import Config

Test = TypeVar("Test", bound=Callable[..., Any])
KEYS = frozenset(key for key, _ in config_keys())
WAYS = pytest.mark.parametrize("way", ["start", "reload"])
"""A key that a reload changes has its effect both ways."""


def shows(*keys: str) -> Callable[[Test], Test]:
    """Mark a test that would fail if one of these keys had no effect."""
    unknown = set(keys) - KEYS
    if unknown:
        raise ValueError(f"no keys of the configuration: {sorted(unknown)}")

    def mark(test: Test) -> Test:
        test.shown_keys = keys  # type: ignore[attr-defined]
        return test

    return mark


def tree(key: str, value: Any) -> dict[str, Any]:
    """Return a configuration that says one key."""
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def configured(key: str, value: Any) -> Config:
    """Return a configuration that says one key."""
    return Config.model_validate(tree(key, value))


async def opened(way: str, config: dict[str, Any], *, data: Path | None = None, clock: Clock | None = None) -> Lab:
    """Return an open lab that was started with a configuration, or got it by a reload."""
    lab = Lab(data, clock=clock, **(config if way == "start" else {}))
    await lab.open()
    if way == "reload":
        lab.core.reconfigure(Config.model_validate(HARMFUL | config))
    return lab
