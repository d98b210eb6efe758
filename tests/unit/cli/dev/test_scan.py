"""Which files of a folder may hold documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.cli.dev import scan
from hostd.cli.dev.scan import documents_in, read_document
from hostd.errors.base import HostdError


def write(folder: Path, *names: str) -> None:
    """Write files, and the folders they lie in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("workflow: w\n")


def test_documents_are_found_at_any_depth(tmp_path: Path) -> None:
    """Hidden folders, dependencies, plugins, case files, the configuration and links to folders are left out."""
    write(tmp_path, "b.yaml", "deep/er/a.yml", "C.YAML")
    write(tmp_path, ".hostd/x.yaml", ".git/x.yaml", "node_modules/m/x.yaml", "plugins/p/hostd-plugin.yaml", ".x.yaml")
    write(tmp_path, "b.test.yaml", "hostd.yaml", "notes.md")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert list(documents_in(tmp_path)) == ["C.YAML", "b.yaml", "deep/er/a.yml"]


def test_a_crowded_folder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bounds nothing is looked at."""
    write(tmp_path, *(f"{number}.yaml" for number in range(12)))
    monkeypatch.setattr(scan, "DOCUMENTS_MAX", 10)
    with pytest.raises(HostdError, match="more than 10 documents: start `hostd dev` in the folder of the workflows"):
        documents_in(tmp_path)
    monkeypatch.setattr(scan, "ENTRIES_MAX", 5)
    with pytest.raises(HostdError, match="more than 5 files"):
        documents_in(tmp_path)


def test_a_folder_that_went_is_an_error(tmp_path: Path) -> None:
    """It says which, and why."""
    with pytest.raises(HostdError, match="no cannot be read: No such file"):
        documents_in(tmp_path / "no")


def test_what_is_no_document_of_ours_is_left_alone(tmp_path: Path) -> None:
    """A file of something else is none; one with steps is meant to be one, in JSON too."""
    file = tmp_path / "x.yaml"
    for text, ours in (
        ("services: {a: {image: b}}\n", False),
        ("# only a remark\n", False),
        ("# remark\nworkflow: w\n", True),
        ("name: w\nsteps: {}\n", True),
        ("trigger: t\n", True),
        ('{"workflow": "w"}', True),
        ("a: 1\n---\nworkflow: w\n", True),
    ):
        file.write_text(text)
        assert (read_document(file) is not None) is ours, text


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Other encodings, too large files and those that are gone."""
    file = tmp_path / "x.yaml"
    file.write_bytes(b"workflow: \xff\n")
    with pytest.raises(HostdError, match="no UTF-8 text"):
        read_document(file)
    file.write_bytes(b"workflow: " + b"x" * scan.FILE_BYTES_MAX)
    with pytest.raises(HostdError, match="more than 1 MiB"):
        read_document(file)
    with pytest.raises(HostdError, match="No such file"):
        read_document(tmp_path / "gone.yaml")
