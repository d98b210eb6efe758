"""File actions on a real file system: what they do, and that nothing leads out of the roots."""

from __future__ import annotations

import base64
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostd.plugin import ActionError
from hostd.plugin.testing import run_action
from hostd_builtin.file.atomic import TEMPORARY_PREFIX
from hostd_builtin.file.delete import Delete
from hostd_builtin.file.listing import List
from hostd_builtin.file.patterns import Patterns
from hostd_builtin.file.read import Read
from hostd_builtin.file.roots import PathDenied, Roots, open_file
from hostd_builtin.file.transfer import Copy, Move
from hostd_builtin.file.write import Write, WriteOptions


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a folder outside beside it."""
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return tmp_path / "root"


async def run(action: type[Any], root: Path, **options: Any) -> Any:
    """Run an action with one root."""
    return await run_action(action, options, settings={"roots": [str(root)]})


async def failure(action: type[Any], root: Path, **options: Any) -> str:
    """Return the code an action fails with."""
    with pytest.raises(ActionError) as caught:
        await run(action, root, **options)
    assert not caught.value.retryable
    return caught.value.code


async def test_without_roots_everything_is_refused() -> None:
    """The sentence names the setting."""
    for action, options in (
        (Read, {}),
        (Write, {"text": "x"}),
        (List, {}),
        (Delete, {}),
        (Copy, {"to": "b"}),
        (Move, {"to": "b"}),
    ):
        with pytest.raises(ActionError, match=r"no folder may be used; .*`plugins.settings.file.roots` is empty") as at:
            await run_action(action, {"path": "/etc/hostname", **options})
        assert at.value.code == "PATH_DENIED"


async def test_what_is_written_is_read_again(root: Path) -> None:
    """Text, JSON and bytes, relative and absolute paths, larger than what a record holds inline."""
    large = "ä" * 40_000
    await run(Write, root, path="a.txt", text=large)
    read = await run(Read, root, path=str(root / "a.txt"))
    assert (read["content"], read["size"], read["path"]) == (large, 80_000, str(root / "a.txt"))
    await run(Write, root, path="new/deep/b.json", json={"n": [1, None]}, create_parents=True)
    assert (await run(Read, root, path="new/deep/b.json", parse="json"))["content"] == {"n": [1, None]}
    await run(Write, root, path="c.bin", base64="AP8=", mode="0600")
    assert (await run(Read, root, path="c.bin", parse="base64"))["content"] == "AP8="
    assert stat.S_IMODE((root / "c.bin").stat().st_mode) == 0o600
    assert await failure(Read, root, path="c.bin") == "CONTENT_INVALID"
    assert await failure(Read, root, path="a.txt", parse="json") == "CONTENT_INVALID"
    assert await failure(Read, root, path="a.txt", max_bytes=79_999) == "TOO_LARGE"
    assert await failure(Write, root, path="no/such/x", text="x") == "NOT_FOUND"
    await run(Write, root, path="null.json", json=None)
    assert (root / "null.json").read_text() == "null\n"


async def test_a_write_is_seen_whole_or_not_at_all(root: Path) -> None:
    """Readers never see half a file; the file's permissions stay; nothing is left beside it."""
    path = root / "a"
    path.write_text("0" * 500_000)
    path.chmod(0o640)
    torn, done = [], threading.Event()

    def look() -> None:
        while not done.is_set():
            seen = path.read_bytes()
            if len(set(seen)) != 1 or len(seen) != 500_000:
                torn.append(len(seen))

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(1, 10):
        await run(Write, root, path="a", text=str(n) * 500_000)
    done.set()
    reader.join()
    assert torn == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert await failure(Write, root, path="a", text="x", when_exists="fail") == "EXISTS"
    assert await failure(Write, root, path="in", text="x") == "PATH_DENIED"
    assert [name for name in os.listdir(root) if name.startswith(TEMPORARY_PREFIX)] == []


async def test_appending(root: Path) -> None:
    """Adds to the end; makes the file first."""
    for _ in range(2):
        written = await run(Write, root, path="log", text="line\n", when_exists="append")
    assert (written["size"], written["written"]) == (10, 5)
    assert (root / "log").read_text() == "line\nline\n"


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "in/../../outside/secret",
        "link/secret",
        "linked",
        "/etc/passwd",
        "in/up/outside/secret",
        "a\0b",
    ],
)
async def test_nothing_leads_out_of_the_roots(root: Path, path: str) -> None:
    """Neither `..` nor links to files, folders or upward, for none of the actions."""
    (root / "link").symlink_to(root.parent / "outside")
    (root / "linked").symlink_to(root.parent / "outside" / "secret")
    (root / "in" / "up").symlink_to("../..")
    (root / "mine").write_text("mine")

    assert await failure(Read, root, path=path) == "PATH_DENIED"
    assert await failure(Write, root, path=path, text="x") == "PATH_DENIED"
    assert await failure(Write, root, path=path, text="x", when_exists="append") == "PATH_DENIED"
    assert await failure(Copy, root, path=path, to="taken") == "PATH_DENIED"
    assert await failure(Copy, root, path="mine", to=path) == "PATH_DENIED"
    assert await failure(Move, root, path=path, to="taken") == "PATH_DENIED"
    assert await failure(Move, root, path="mine", to=path) == "PATH_DENIED"
    assert await failure(List, root, path=path) == "PATH_DENIED"
    if path != "linked":
        assert await failure(Delete, root, path=path) == "PATH_DENIED"
    assert (root.parent / "outside" / "secret").read_text() == "secret"
    assert os.listdir(root.parent / "outside") == ["secret"]
    assert not (root / "taken").exists()


async def test_a_folder_that_turns_into_a_link_is_not_followed(root: Path) -> None:
    """What was opened stays what it was: a link put in its place later is not walked into."""
    (root / "in" / "secret").write_text("mine")
    with Roots([str(root)]).spot("in/secret") as spot:
        os.rename(root / "in", root / "was")
        (root / "in").symlink_to(root.parent / "outside")
        opened = open_file(spot, os.O_RDONLY)
        assert os.read(opened, 10) == b"mine"
        os.close(opened)
    with pytest.raises(PathDenied, match="symbolic link"), Roots([str(root)]).spot("in/secret"):
        pass


async def test_racing_links_never_give_what_lies_outside(root: Path) -> None:
    """Somebody swaps a folder and a link as fast as possible; every read gives our file or is refused."""
    (root / "in" / "secret").write_text("mine")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(root / "in", root / "was")
            os.symlink(root.parent / "outside", root / "in")
            os.unlink(root / "in")
            os.rename(root / "was", root / "in")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    for _ in range(300):
        try:
            seen.add((await run(Read, root, path="in/secret"))["content"])
        except ActionError as error:
            seen.add(error.code)
    done.set()
    thread.join()
    assert "secret" not in seen
    assert seen <= {"mine", "PATH_DENIED", "NOT_FOUND", "NOT_A_FOLDER"}


async def test_pipes_and_folders_are_no_files(root: Path) -> None:
    """A pipe without a writer does not hang the thread."""
    os.mkfifo(root / "pipe")
    for path in ("pipe", "in", "."):
        assert await failure(Read, root, path=path) == "PATH_DENIED"
        assert await failure(Copy, root, path=path, to="b") == "PATH_DENIED"


async def test_listing(root: Path) -> None:
    """By pattern, by name, bounded; links are left out, and so are hidden names unless they are asked for."""
    for name in ("b.csv", "a.csv", "c.txt", ".hidden.csv", "in/d.csv"):
        (root / name).write_text(name)
    (root / "l.csv").symlink_to("a.csv")

    async def names(**options: Any) -> list[str]:
        found = await run(List, root, path=".", **options)
        return [entry["path"].removeprefix(f"{root}/") for entry in found["entries"]]

    assert await names() == ["a.csv", "b.csv", "c.txt"]
    assert await names(pattern="**/*.csv") == ["a.csv", "b.csv", "in/d.csv"]
    assert await names(pattern=".*") == [".hidden.csv"]
    assert await names(folders=True, pattern="i*") == ["in"]
    first = await run(List, root, path=str(root), limit=2)
    assert first["more"] and [entry["size"] for entry in first["entries"]] == [5, 5]
    assert await failure(List, root, path="a.csv") == "NOT_A_FOLDER"
    assert await failure(List, root, path="none") == "NOT_FOUND"


async def test_deleting(root: Path) -> None:
    """A file, a link itself, an empty folder; a full one only when asked; never a root; never what a link leads to."""
    (root / "a").write_text("a")
    (root / "in" / "b").write_text("b")
    (root / "in" / "out").symlink_to(root.parent / "outside")
    assert (await run(Delete, root, path="a"))["deleted"]
    assert not (await run(Delete, root, path="a"))["deleted"]
    assert await failure(Delete, root, path="a", missing_ok=False) == "NOT_FOUND"
    assert await failure(Delete, root, path="in") == "NOT_EMPTY"
    assert (await run(Delete, root, path="in", recursive=True))["deleted"]
    assert await failure(Delete, root, path=".", recursive=True) == "PATH_DENIED"
    assert os.listdir(root) == [] and (root.parent / "outside" / "secret").exists()


async def test_copying_and_moving(root: Path) -> None:
    """Content and permissions go along; `fail` replaces nothing; a file is not copied onto itself."""
    (root / "a").write_text("content")
    (root / "a").chmod(0o640)
    copied = await run(Copy, root, path="a", to="to/b", create_parents=True)
    assert (copied["size"], copied["path"], copied["from"]) == (7, str(root / "to/b"), str(root / "a"))
    assert stat.S_IMODE((root / "to/b").stat().st_mode) == 0o640
    for action in (Copy, Move):
        assert await failure(action, root, path="a", to="to/b", when_exists="fail") == "EXISTS"
        assert await failure(action, root, path="a", to="a") == "PATH_DENIED"
        assert await failure(action, root, path="none", to="c") == "NOT_FOUND"
        assert await failure(action, root, path="a", to="in") == "PATH_DENIED"
    await run(Move, root, path="a", to="c", when_exists="fail")
    await run(Move, root, path="c", to="to/b")
    assert (root / "to/b").read_text() == "content"
    assert sorted(os.listdir(root)) == ["in", "to"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "a"}, "exactly one"),
        ({"path": "a", "text": "x", "json": 1}, "exactly one"),
        ({"path": "a", "base64": "!!"}, "base64"),
        ({"path": "a", "text": "x", "mode": "rwx"}, "mode"),
        ({"path": "", "text": "x"}, "path"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str) -> None:
    """One content, base64 that is base64, octal permissions, a path."""
    with pytest.raises(ValidationError, match=words):
        WriteOptions.model_validate(options)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("*.csv", ["a.csv"], [".a.csv", "a/b.csv", "a.csv.bak"]),
        ("**/*.csv", ["a.csv", "x/y/a.csv"], ["x/.y/a.csv", ".x/a.csv"]),
        ("in/**", ["in/a", "in/b/c"], ["in", "other/a", "in/.a"]),
        ("a?[0-9].t*t", ["ab1.txt", "ab1.tt"], ["a/1.txt", "abc.txt"]),
        ("[!a]*", ["b"], ["a", "abc"]),
        ("a.b", ["a.b"], ["axb"]),
        ("*a*a*b", ["aab", "xaxayb"], ["ab"]),
    ],
)
def test_patterns(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    """As shells read them."""
    test = Patterns([pattern])
    assert [path for path in [*fits, *fits_not] if test.fits(path)] == fits


@pytest.mark.parametrize("pattern", ["", "/a", "../a", "a//b", "a" * 300, "**/**/**/**/**/a", "[z-a]"])
def test_patterns_that_cannot_be(pattern: str) -> None:
    """Upward, absolute, empty, endless."""
    with pytest.raises(ValueError, match="pattern"):
        Patterns([pattern])


def test_no_pattern_is_slow() -> None:
    """The worst there is answers at once (it would take years by going back and forth)."""
    assert not Patterns(["*a" * 100 + "b"]).fits("a" * 250)
    assert base64.b64decode("AP8=") == b"\x00\xff"
