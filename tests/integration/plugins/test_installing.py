"""`hostd plugin install` inside a host: versions beside each other, what fails, who may, and what a restart finds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab, of_kind
from wheelhouse import dependencies_of_the_sdk, plugin_wheel

from hostd.errors.base import HostdError
from hostd.model.installs import FOLDER, WHEEL, InstallOrder, InstallView
from hostd.model.records import AttemptSucceeded
from hostd.values.json_text import parse_json

CALL = "workflow: w\nsteps:\n  a: {uses: %s, with: {%s}}\n"
SHOUT = """
manifest: 1
id: shouting
version: %s
runtime: lua
permissions: [net]
actions:
  text.shout: {file: shout.lua, options: {text: {type: string, required: true}}}
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What hostd-sdk needs, as wheels."""
    return dependencies_of_the_sdk(tmp_path_factory.mktemp("links"))


@pytest.fixture
async def lab(tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """A core on a data folder; pip reaches no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    opened = await Lab(tmp_path / "data").open()
    yield opened
    await opened.core.lua.close()
    await opened.close()


def archive(**files: str) -> bytes:
    """Return a folder as it is sent."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("_dot_", ".").replace("_dash_", "-"), text)
    return packed.getvalue()


def shouting(version: str, word: str = "", **more: str) -> bytes:
    """Return a plugin in Lua."""
    manifest = SHOUT % version
    script = f"return {{said = input.text:upper() .. '{word}'}}"
    return archive(hostd_dash_plugin_dot_yaml=manifest, shout_dot_lua=script, **more)


async def sent(data: bytes) -> AsyncIterator[bytes]:
    """Send in pieces."""
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]


async def install(
    lab: Lab, data: bytes | Path, name: str = "shouting", *, local: bool = True, **how: Any
) -> InstallView:
    """Install a folder's archive, or a wheel."""
    kind, name = (WHEEL, data.name) if isinstance(data, Path) else (FOLDER, name)
    content = data.read_bytes() if isinstance(data, Path) else data
    order = InstallOrder(kind, name, **({"all_permissions": True} | how))
    return await lab.core.front.installs.install(NAMESPACE, order, sent(content), principal="owner", local=local)


async def refused(lab: Lab, data: bytes | Path, name: str = "shouting", **how: Any) -> HostdError:
    """Return why an install was refused."""
    with pytest.raises(HostdError) as caught:
        await install(lab, data, name, **how)
    return caught.value


async def output(lab: Lab, action: str, options: str) -> Any:
    """Run one step; return its output."""
    row, records = await lab.run(CALL % (action, options))
    done = of_kind(records, AttemptSucceeded)
    return parse_json(done[0].output) if done else row.reason


def folders(tmp_path: Path) -> list[str]:
    """Return what lies in the folder of installed plugins, two levels deep."""
    root = tmp_path / "data" / "plugins-installed"
    return sorted(path.relative_to(root).as_posix() for path in [*root.glob("*"), *root.glob("*/*")])


@pytest.mark.timeout(180)
async def test_a_wheel_serves_in_an_environment_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """Its interpreter, its packages, hostd-sdk of this version; the next version takes over, a rollback returns."""
    first = await install(lab, plugin_wheel(tmp_path / "w"))
    assert (first.plugin.id, first.plugin.version, first.plugin.source) == ("greet", "1.0", "installed")
    said = await output(lab, "greet.say", "name: Ada")
    assert said["text"] == "hello Ada"
    assert said["python"] == str(tmp_path / "data/plugins-installed/greet/1/environment/bin/python")

    second = await install(lab, plugin_wheel(tmp_path / "w", version="2.0", word="good day"))
    assert (second.replaced_version, second.plugin.version, second.plugin.rollback_version) == ("1.0", "2.0", "1.0")
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "good day Ada"

    await lab.core.front.installs.rollback(NAMESPACE, "greet", principal="owner")
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "hello Ada"
    await lab.restart()
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "hello Ada"
    assert lab.core.front.plugins.get("greet").rollback_version == "2.0"
