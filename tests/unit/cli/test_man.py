"""Manual pages."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hostd.cli.main import root
from hostd.cli.man import pages


def test_every_command_has_a_page(hostd: Any, tmp_path: Path) -> None:
    """A page a command and group, with name, synopsis and every option that has a name."""
    assert hostd("man", "--dir", str(tmp_path)).code == 0
    written = {file.name: file.read_text() for file in (tmp_path / "man1").iterdir()}

    expected = {"-".join(path): command for path, command in pages(root, ("hostd",))}
    assert set(written) == {f"{name}.1" for name in expected}
    for name, command in expected.items():
        text = written[f"{name}.1"]
        assert ".SH NAME\n" in text
        assert ".SH SYNOPSIS\n" in text
        for param in command.params:
            for option in getattr(param, "opts", ()) if param.param_type_name == "option" else ():
                assert option.replace("-", "\\-") in text, f"{name}: {option}"


def test_one_page(hostd: Any) -> None:
    """Of a command by its words; a word that is none is an error."""
    assert hostd("man", "runs", "start").out.startswith('.TH "HOSTD\\-RUNS\\-START" "1"')
    assert hostd("man").out.startswith('.TH "HOSTD" "1"')
    done = hostd("man", "runs", "strat")
    assert (done.code, done.out) == (2, "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_takes_them(hostd: Any) -> None:
    """Without a warning."""
    text = hostd("man", "runs", "start").out
    done = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=text, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--request-id" in re.sub(".\b|\x1b\\[[0-9]*m", "", done.stdout)
