"""The files of a folder against a daemon: what is registered, what stays, what goes, and what a person reads of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hostd.cli.dev.documents import Documents
from hostd.cli.dev.inside import Inside
from hostd.cli.dev.screen import Screen
from hostd.client import Client, connect

A = "workflow: a\nsteps:\n  one: {uses: flow.pass}\n"
B = A.replace("workflow: a", "workflow: b")
OWN = "trigger: t\ntarget: a@active\nuses: cron.every\nwith: {period: 1h}\n"


class Desk:
    """A folder, what looks at it, and what was said."""

    def __init__(self, folder: Path, client: Client, said: pytest.CaptureFixture[str]) -> None:
        self.folder, self.client, self._capture = folder, client, said
        self.documents = self.again()

    def again(self) -> Documents:
        """Begin a new session."""
        self._screen = Screen()
        self.documents = Documents(self.folder, self.client, self._screen, "127.0.0.1:1")
        return self.documents

    def write(self, **files: str | None) -> None:
        """Write files, or delete them."""
        for name, text in files.items():
            file = self.folder / f"{name}.yaml"
            if text is None:
                file.unlink()
            else:
                file.write_text(text)

    async def look(self) -> str:
        """Look until a change has stood still; return what was said."""
        await self.documents.look()
        await self.documents.look()
        return self._said()

    async def first(self) -> str:
        """Look as at the start."""
        await self.documents.look(first=True)
        return self._said()

    def _said(self) -> str:
        assert self._screen._outlet.flush(120)
        return self._capture.readouterr().out

    async def active(self) -> dict[str, str]:
        """Return the active versions."""
        return {each.workflow: each.active_version async for each in self.client.list_workflows()}


@pytest.fixture
async def desk(tmp_path: Path, inside: Inside, capfd: pytest.CaptureFixture[str]) -> AsyncIterator[Desk]:
    """A folder, looked at."""
    async with connect(data=inside.data) as client:
        yield Desk(tmp_path, client, capfd)


async def test_a_workflow_may_move_to_another_file(desk: Desk) -> None:
    """What goes from one file and comes in another in the same moment stays active; deleted it is deactivated."""
    desk.write(x=A + "---\n" + B)
    said = await desk.first()
    assert "x.yaml  a 0.0.1" in said and "x.yaml  b 0.0.1" in said
    desk.write(x=A, y=B)
    said = await desk.look()
    assert "deactivated" not in said
    assert await desk.active() == {"a": "0.0.1", "b": "0.0.1"}
    desk.write(y=None)
    assert "y.yaml is gone  b deactivated" in await desk.look()
    assert await desk.active() == {"a": "0.0.1", "b": ""}
    desk.write(y=B)
    assert "y.yaml  b 0.0.1" in await desk.look()
    assert await desk.active() == {"a": "0.0.1", "b": "0.0.1"}


async def test_another_name_takes_the_place_of_the_one_before(desk: Desk) -> None:
    """A workflow that was renamed in its file is deactivated under its old name."""
    desk.write(x=A)
    await desk.first()
    desk.write(x=B)
    assert "x.yaml does not have it any more  a deactivated" in await desk.look()
    assert await desk.active() == {"a": "", "b": "0.0.1"}


async def test_mistakes_keep_what_was_good(desk: Desk) -> None:
    """In whatever way a file is broken its workflows stay active, and the mistake is told once."""
    desk.write(x=A)
    await desk.first()
    for broken in ("workflow: a\nsteps: [\n", "workflow: a\nsteps: {one: {uses: no.such}}\n", "workflow: {\n"):
        desk.write(x=broken)
        said = await desk.look()
        assert "x x.yaml  1 mistake" in said
        assert await desk.active() == {"a": "0.0.1"}
        assert await desk.look() == ""
    desk.write(x=A.replace("one", "two"))
    assert "x.yaml  a 0.0.1 → 0.0.2" in await desk.look()


async def test_one_name_in_two_files_is_a_mistake_of_the_second(desk: Desk) -> None:
    """The one that was there first stays; once it goes, the other is taken."""
    desk.write(x=A, y=A.replace("one", "other"))
    said = await desk.first()
    assert "y.yaml:1:1  NAME_INVALID" in said and "x.yaml has a workflow a, too" in said
    desk.write(x=None)
    await desk.look()
    await desk.documents.again()
    assert await desk.active() == {"a": "0.0.2"}


async def test_a_version_of_ones_own_says_how_to_go_on(desk: Desk) -> None:
    """Another document under the same version is refused, with what helps while writing."""
    desk.write(x=A + "version: 1.0.0\n")
    await desk.first()
    desk.write(x=A.replace("one", "two") + "version: 1.0.0\n")
    said = await desk.look()
    assert "VERSION_EXISTS" in said and "leave `version` out" in said and "a 1.0.0 stays active" in said


async def test_what_an_earlier_session_left_is_deactivated(desk: Desk) -> None:
    """Also triggers of their own; but not while a file cannot be read, which may be about it."""
    desk.write(x=A, t=OWN)
    assert "t starts a@active" in await desk.first()
    desk.write(x="workflow: [\n", t=None)
    desk.again()
    assert "deactivated" not in await desk.first()
    assert await desk.active() == {"a": "0.0.1"}
    desk.write(x=B)
    said = await desk.look()
    assert "a deactivated" in said and "t deleted" in said
    assert await desk.active() == {"a": "", "b": "0.0.1"}
    assert [each.name async for each in desk.client.list_triggers()] == []


async def test_what_a_missing_plugin_kept_is_tried_again(desk: Desk) -> None:
    """Trying again says nothing while nothing changed."""
    desk.write(x="workflow: a\nsteps: {one: {uses: no.such}}\n")
    assert "ACTION_UNKNOWN" in await desk.first()
    await desk.documents.again()
    assert await desk.look() == ""
