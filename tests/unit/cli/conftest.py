"""Running commands in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from hostd.cli.main import run
from hostd.cli.terminal import WISHES


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Hostd = Callable[..., Done]


@pytest.fixture(autouse=True)
def no_wishes() -> Iterator[None]:
    """Forget what an earlier command line said about the terminal."""
    WISHES.forget()
    yield
    WISHES.forget()


@pytest.fixture
def hostd(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Hostd:
    """Return a function that runs `hostd ARGUMENTS` in a clean environment, with a data folder that is not there."""
    for name in ("ADDRESS", "TOKEN", "TOKEN_FILE", "NAMESPACE", "DEBUG", "CONFIG"):
        monkeypatch.delenv(f"HOSTD_{name}", raising=False)
    monkeypatch.setenv("HOSTD_DATA", f"{tmp_path}/data")

    def command(*arguments: str) -> Done:
        capfd.readouterr()
        code = run(list(arguments))
        return Done(code, *capfd.readouterr())

    return command
