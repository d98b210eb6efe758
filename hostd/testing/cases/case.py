"""Case files as they were read: what a case gives, and what it expects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hostd.testing.answers import Answer

NOT_SAID: Any = ...


class Meanwhile(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a run after its start: `verb` is signal, cancel or terminate, `word` its name or reason."""

    after_ms: int
    verb: str
    word: str
    data: Any = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What has to come of a case; `...` and None where nothing is said."""

    state: str = "SUCCEEDED"
    output: Any = NOT_SAID
    path: tuple[str, ...] | None = None
    steps: Mapping[str, Mapping[str, Any]] = {}
    failure: Mapping[str, Any] = {}
    refused: str = ""
    took_ms: int | None = None
    calls: Mapping[str, Any] = {}


class WorkflowCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case with everything its file says for all of them. `line` counts from 1."""

    name: str
    file: Path
    line: int
    workflow: Path
    also: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    allow: tuple[str, ...] = ()
    input: Any = NOT_SAID
    trigger: tuple[str, Any] | None = None
    start: str = ""
    secrets: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    mocks: Mapping[str, tuple[Answer, ...]] = {}
    meanwhile: tuple[Meanwhile, ...] = ()
    until_ms: int | None = None
    expected: Expected = Expected()
