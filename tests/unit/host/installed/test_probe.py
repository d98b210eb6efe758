"""Starting a plugin out of sight: what it says, or why it cannot serve."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hostd.aio import SystemClock
from hostd.errors.base import HostdError
from hostd.host.found import Found, Source
from hostd.host.installed.probe import probe
from hostd.host.process.launch import ProcessLimits, python_launch

GOOD = '''
from hostd.plugin import Action, Options, Registry, hookimpl

class Say(Action[Options]):
    """Says."""
    id, since, stability, effects = "greet.say", "0.1", "stable", "none"
    class Settings(Options):
        loud: bool
    async def run(self, ctx, options):
        return None

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Say)
'''


async def probed(tmp_path: Path, code: str, **settings: object) -> tuple[str, ...]:
    """Start a plugin's folder with this interpreter; return what it serves."""
    folder = tmp_path / "greet"
    folder.mkdir()
    (folder / "__init__.py").write_text(code)
    launch = python_launch("--folder", str(folder))
    found = Found("greet", "2", Source.INSTALLED, str(folder), lambda: None, launch)
    how = {"clock": SystemClock(), "random": random.Random(1), "limits": ProcessLimits(), "within": folder}
    report = await probe(found, settings={"greet": settings}, **how)  # type: ignore[arg-type]
    return report.components


async def test_what_it_serves(tmp_path: Path) -> None:
    """A plugin that imports, registers and takes its settings."""
    assert await probed(tmp_path, GOOD, loud=True) == ("action greet.say",)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise OSError('no feed')", "OSError: no feed"),
        ("api = '>=9'\n" + GOOD, ">=9"),
        ("x = 1", "there is no hostd_register in it"),
        ("import os\nprint('bye', flush=True)\nos._exit(7)", "exit 7"),
        (GOOD, '"loud" is a required property'),
    ],
)
async def test_why_it_cannot_serve(tmp_path: Path, code: str, why: str) -> None:
    """It raises, wants another API, registers nothing, dies, or refuses the operator's settings."""
    with pytest.raises(HostdError) as caught:
        await probed(tmp_path, code, other=1) if code is not GOOD else await probed(tmp_path, code)
    assert caught.value.reason == "PLUGIN_FAILED"
    assert "plugin greet 2 cannot serve: " in caught.value.message
    assert why in caught.value.message
