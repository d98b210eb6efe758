"""`file.watch` on a real core and a real folder: each version of a file once, through restarts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from lab import Lab

from hostd.values.json_text import parse_json

FAST = "settle: 50ms"


def document(folder: Path, options: str, *, version: str = "1.0.0") -> str:
    """Return a workflow that watches."""
    return (
        f"workflow: w\nversion: {version}\ntriggers:\n  t:\n    uses: file.watch\n"
        f"    with: {{path: {folder}, {options}}}\nsteps:\n  a: {{uses: flow.pass, with: {{output: 1}}}}\n"
    )


def told(lab: Lab) -> list[str]:
    """Return what was told, as `change path[ <from]`, in order."""
    folder = lab.config.plugins.settings["file"]["roots"][0]
    lines = []
    for _, _, row in lab.core.journal.events("default", limit=10_000):
        event: Any = parse_json(row.body)
        data = event["data"]
        before = f" <{data['from'].removeprefix(folder)}" if "from" in data else ""
        lines.append(f"{data['change']} {data['path'].removeprefix(folder)}{before}")
    return lines


@pytest.fixture(params=["notices", "polling"])
def way(request: pytest.FixtureRequest) -> str:
    """Return options for either way of noticing."""
    return FAST if request.param == "notices" else f"{FAST}, poll: 100ms"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a root."""
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
async def lab(tmp_path: Path, folder: Path) -> Any:
    """Return a lab whose operator permits the folder."""
    lab = await Lab(tmp_path / "data", plugins={"settings": {"file": {"roots": [str(folder)]}}}).open()
    yield lab
    await lab.close()


async def watching(lab: Lab) -> None:
    """Start the triggers; return when the folder has been looked at once."""
    await lab.core.triggers.start()
    await lab.until(lambda: lab.trigger("w", "t").source.row.cursor)


async def put(path: Path, text: str) -> None:
    """Write a file by a rename, as careful programs do."""

    def write() -> None:
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(text)
        os.rename(beside, path)

    await asyncio.to_thread(write)


async def heard(lab: Lab, *lines: str) -> None:
    """Wait until so much was told, and compare."""
    await lab.until(lambda: len(told(lab)) >= len(lines))
    assert sorted(told(lab)) == sorted(lines)


async def test_changes_are_told(lab: Lab, folder: Path, way: str) -> None:
    """Created, modified, moved and deleted, below the folder too; what does not fit, and links, are left out."""
    await asyncio.to_thread((folder / "old.txt").write_text, "old")
    on = "on: [created, modified, moved, deleted], patterns: ['**/*.txt'], exclude: ['skip*']"
    await lab.register(document(folder, f"{on}, {way}"))
    await watching(lab)
    await put(folder / "a.txt", "1")
    await put(folder / "skip.txt", "1")
    await put(folder / "a.csv", "1")
    await asyncio.to_thread((folder / "l.txt").symlink_to, "a.csv")
    await heard(lab, "created /a.txt")
    await put(folder / "a.txt", "22")
    await heard(lab, "created /a.txt", "modified /a.txt")
    await asyncio.to_thread((folder / "in").mkdir)
    await asyncio.to_thread(os.rename, folder / "a.txt", folder / "in" / "b.txt")
    lines = ["created /a.txt", "modified /a.txt", "moved /in/b.txt </a.txt"]
    await heard(lab, *lines)
    await asyncio.to_thread(os.unlink, folder / "in" / "b.txt")
    await asyncio.to_thread(os.unlink, folder / "old.txt")
    await heard(lab, *lines, "deleted /in/b.txt", "deleted /old.txt")
    assert len(lab.runs()) == 5


async def test_what_came_while_the_daemon_was_down(lab: Lab, folder: Path) -> None:
    """Each version once: what was told is not told again, what changed meanwhile is, what did not is not."""
    for name in ("same", "changed"):
        await asyncio.to_thread((folder / name).write_text, "1")
    await lab.register(document(folder, f"{FAST}, existing: true"))
    await watching(lab)
    await heard(lab, "created /same", "created /changed")
    await lab.core.triggers.stop()
    await put(folder / "changed", "2")
    await put(folder / "new", "1")
    for _ in range(2):
        await lab.restart()
        await lab.core.triggers.start()
        await heard(lab, "created /same", "created /changed", "modified /changed", "created /new")
    await put(folder / "last", "1")
    await lab.until(lambda: len(told(lab)) == 5)


async def test_files_from_before_the_first_start_are_no_news_even_after_a_crash(lab: Lab, folder: Path) -> None:
    """What is there at the first activation is remembered before anything happens."""
    await asyncio.to_thread((folder / "old").write_text, "1")
    await lab.register(document(folder, FAST))
    await watching(lab)
    await lab.core.triggers.stop()
    await put(folder / "old", "2")
    await lab.restart()
    await lab.core.triggers.start()
    await heard(lab, "modified /old")


async def test_a_half_written_file_waits(lab: Lab, folder: Path) -> None:
    """While a file keeps growing nothing is told; then once, with its whole size."""
    await lab.register(document(folder, "settle: 400ms, poll: 100ms"))
    await watching(lab)
    clock = lab.core.clock
    with (folder / "big").open("ab", buffering=0) as file:
        for _ in range(8):
            await asyncio.to_thread(file.write, b"x" * 1000)
            await clock.sleep(0.1)
        assert told(lab) == []
    await heard(lab, "created /big")
    [[_, _, row]] = lab.core.journal.events("default")
    event: Any = parse_json(row.body)
    assert event["data"]["size"] == 8000


async def test_a_folder_outside_the_roots_fails_and_a_missing_one_is_waited_for(lab: Lab, folder: Path) -> None:
    """FAILED names the setting; a folder that is not there yet is tried again."""
    await lab.register(document(Path("/etc"), FAST))
    await lab.core.triggers.start()
    await lab.until(lambda: lab.trigger("w", "t").state == "FAILED")
    assert "plugins.settings.file.roots" in lab.trigger("w", "t").message
    await lab.register(document(folder / "later", FAST, version="2.0.0"))
    await lab.until(lambda: lab.trigger("w", "t").state == "BACKING_OFF")
    await asyncio.to_thread((folder / "later").mkdir)
    await lab.until(lambda: lab.trigger("w", "t").state == "ACTIVE")


async def test_too_many_files_wait(lab: Lab, folder: Path) -> None:
    """Above max_files the trigger says so and waits for fewer."""
    for name in "abc":
        await asyncio.to_thread((folder / name).write_text, "1")
    await lab.register(document(folder, f"{FAST}, max_files: 2"))
    await lab.core.triggers.start()
    await lab.until(lambda: lab.trigger("w", "t").state == "BACKING_OFF")
    assert "max_files, 2" in lab.trigger("w", "t").message
