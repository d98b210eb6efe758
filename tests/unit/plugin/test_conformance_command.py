"""`python -m hostd.plugin.testing FOLDER` prints what the kit finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.plugin.testing.__main__ import main


def test_a_plugin_that_conforms_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And exits with 0."""
    assert main(["--entry-point", "hostd_builtin.mock"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("code", "told"), [("1 / 0", "ZeroDivisionError"), ("x = 1", "registered nothing")])
def test_what_is_wrong_is_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, told: str) -> None:
    """Also where it does not even load."""
    folder = tmp_path / f"broken_{len(told)}"
    folder.mkdir()
    (folder / "__init__.py").write_text(code)
    assert main([str(folder)]) == 1
    assert told in capsys.readouterr().out


def test_wrong_arguments_say_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with 2."""
    assert main([]) == 2
    assert "usage:" in capsys.readouterr().err
