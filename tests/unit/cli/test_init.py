"""`hostd init`: folders to begin with, which work as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.cli.init import TEMPLATES
from hostd.cli.main import run


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_passes_its_own_cases(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written has the files it lists, and its cases pass."""
    assert run(["init", str(tmp_path / "new"), "--template", template]) == 0
    said = capsys.readouterr().out
    workflow = TEMPLATES[template].workflow
    for name in (".gitignore", "README.md", "hostd.yaml", f"{workflow}.yaml", f"{workflow}.test.yaml"):
        assert (tmp_path / "new" / name).is_file()
        assert f"  {name}\n" in said
    assert "@@" not in "".join(file.read_text() for file in (tmp_path / "new").rglob("*") if file.is_file())
    assert "\n  hostd dev  " in said
    monkeypatch.chdir(tmp_path / "new")
    assert run(["workflow", "test"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("template", [name for name, each in TEMPLATES.items() if each.plugin])
def test_plugins_of_templates_are_well(template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor finds nothing wrong with them."""
    assert run(["init", str(tmp_path), "--template", template]) == 0
    assert run(["plugin", "doctor", str(tmp_path / "plugins/greeter")]) == 0
    assert "is well" in capsys.readouterr().out


def test_nothing_is_overwritten_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not empty is refused with what to do; --force says what it replaced, and leaves the rest."""
    (tmp_path / "hello.yaml").write_text("mine")
    (tmp_path / "other.txt").write_text("mine, too")
    assert run(["init", str(tmp_path)]) == 2
    refused = capsys.readouterr().err
    assert "is not empty (hello.yaml, other.txt); name a new folder, or --force" in refused
    assert (tmp_path / "hello.yaml").read_text() == "mine"
    assert run(["init", str(tmp_path), "--force"]) == 0
    assert "replaced: hello.yaml\n" in capsys.readouterr().out
    assert (tmp_path / "other.txt").read_text() == "mine, too"


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither is what cannot be made below one."""
    (tmp_path / "file").write_text("")
    assert run(["init", str(tmp_path / "file")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
    assert run(["init", str(tmp_path / "file/below")]) != 0
    assert "ARGUMENT_INVALID" in capsys.readouterr().err
