"""Which plugin a test means: a folder by any of its names, or an id."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.errors.base import HostdError
from hostd.testing import Case, TestHost, check_plugin, on_stage

PLUGIN = '''
from hostd.plugin import Action, Options, hookimpl


class Say(Action[Options]):
    """Says it."""

    id, since, stability, effects = "tide.say", "0.1", "stable", "none"

    async def run(self, ctx, options):
        return "ebb"


@hookimpl
def hostd_register(registry):
    registry.action(Say)
'''
DOCUMENT = {"workflow": "w", "steps": {"it": {"uses": "tide.say"}}, "output": "${{ steps.it.output }}"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin's folder, which is where the test runs."""
    path = tmp_path / "tide"
    path.mkdir()
    (path / "__init__.py").write_text(PLUGIN)
    monkeypatch.chdir(path)
    return path


async def test_a_case_of_an_unknown_action_hides_no_other(folder: Path) -> None:
    """It is one problem of that case, and what it names is told."""
    cases = [Case("tide.sya"), Case("tide.say", output="flood")]
    unknown, other = await check_plugin(folder, cases, modes=["inline"])
    assert unknown.startswith("tide.sya (inline): DOCUMENT_INVALID: no loaded plugin provides the action tide.sya")
    assert other == "tide.say (inline): output 'ebb'; expected 'flood'"


async def test_the_folder_one_is_in(folder: Path) -> None:
    """`.` has a name, too."""
    assert await check_plugin(Path(), modes=["inline"]) == []
    async with TestHost(plugins=[Path()]) as host:
        await host.register(
            {"workflow": "w", "steps": {"it": {"uses": "tide.say"}}, "output": "${{ steps.it.output }}"}
        )
        assert await host.execute("w") == "ebb"


@pytest.mark.parametrize(
    ("plugin", "why"),
    [
        (Path("none"), "none is no plugin's folder"),
        ("./tide", "'./tide' is no plugin's id.* given as a Path"),
        (Path("../9 lives"), "'9 lives' is no plugin's id.* hostd-plugin.yaml"),
    ],
)
async def test_what_is_no_plugin_is_told(folder: Path, plugin: Path | str, why: str) -> None:
    """With what would do."""
    (folder.parent / "9 lives").mkdir()
    with pytest.raises(HostdError, match=why):
        async with on_stage(plugin):
            pass
