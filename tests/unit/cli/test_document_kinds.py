"""What kind of file somebody gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostd.cli.document_kinds import CONFIGURATION, kind_of
from hostd.config.rooms import Config

WORKFLOW = "workflow: w\nsteps: {a: {uses: flow.pass}}\n"
CASES = "workflow: w.yaml\ncases: [{name: one}]\n"
CONFIG = "log:\n  level: info\n"


@pytest.mark.parametrize(
    "name,text,kind",
    [
        ("w.yaml", WORKFLOW, "documents"),
        ("w.yaml", "trigger: t\ntarget: w@active\n", "documents"),
        ("w.json", '{"workflow": "w"}', "documents"),
        ("w.yaml", "", "documents"),
        ("hostd.yaml", CONFIG, "configuration"),
        ("other.yaml", CONFIG, "configuration"),
        ("hostd.yaml", "lgo: {}\n", "configuration"),
        ("hostd.yaml", WORKFLOW, "documents"),
        ("w.test.yaml", CASES, "cases"),
        ("-", CASES, "cases"),
        ("plugins/a/hostd-plugin.yaml", "id: a\nversion: 1.0.0\n", "manifest"),
        ("a.lua", "return 1", "script"),
        ("-", "return 1", "documents"),
    ],
)
def test_files_are_known_by_name_and_keys(name: str, text: str, kind: str) -> None:
    """A document's own keys win over the name hostd.yaml."""
    assert kind_of(name, text) == kind


def test_the_rooms_of_the_configuration_are_all_there() -> None:
    """A new one has to be named."""
    assert frozenset(Config.model_fields) == CONFIGURATION


def test_validate_takes_whatever_lies_in_a_folder(hostd: Any, tmp_path: Path) -> None:
    """Each is checked as what it is, with its own mistakes."""
    good = {"w.yaml": WORKFLOW, "w.test.yaml": CASES, "hostd.yaml": CONFIG, "a.lua": "return 1\n"}
    for name, text in good.items():
        (tmp_path / name).write_text(text)
    assert hostd("validate", *(str(tmp_path / name) for name in good)) == (0, "", "")
    bad = {
        "b.test.yaml": "workflow: w.yaml\ncases: [{nme: one}]\n",
        "hostd.yaml": "lgo: {level: info}\n",
        "b.lua": "x =",
    }
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
    done = hostd("validate", *(str(tmp_path / name) for name in bad))
    assert done.code == 2
    assert "b.test.yaml:2:" in done.out and "nme is no key" in done.out
    assert "hostd.yaml:1:1 lgo:" in done.out and "did you mean `log`?" in done.out
    assert "b.lua:1:1" in done.out and "SCRIPT_INVALID" in done.out
    assert "workflow needs" not in done.out


@pytest.mark.parametrize(
    "words,says",
    [
        (("run", "hostd.yaml"), "hostd.yaml is a configuration, no workflow; `hostd serve --config`"),
        (("run", "w.test.yaml"), "w.test.yaml is a case file, no workflow; `hostd workflow test` runs it"),
        (("script", "validate", "w.yaml"), "w.yaml is a document, no Lua script; `hostd validate` checks it"),
        (("script", "run", "w.yaml"), "w.yaml is a document, no Lua script"),
        (("workflow", "register", "hostd.yaml", "w.test.yaml"), "no workflow or trigger is in what was given"),
    ],
)
def test_what_is_something_else_is_refused_with_what_to_do(
    hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    """The command that takes it is named; no daemon is asked."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"w.yaml": WORKFLOW, "w.test.yaml": CASES, "hostd.yaml": CONFIG}.items():
        (tmp_path / name).write_text(text)
    done = hostd(*words)
    assert done.code == 2
    assert says in done.err


def test_a_run_without_its_plugin_says_how_to_bring_it(hostd: Any, tmp_path: Path) -> None:
    """`--plugins` serves a folder of plugins, which the run waits for."""
    assert hostd("init", str(tmp_path / "new"), "--template", "plugin").code == 0
    file, plugins = str(tmp_path / "new/greet.yaml"), str(tmp_path / "new/plugins")
    done = hostd("run", file)
    assert done.code == 2
    assert "ACTION_UNKNOWN: " in done.err and "`--plugins DIR`" in done.err
    ran = hostd("run", file, "--plugins", plugins)
    assert ran.code == 0, ran.err
    assert "hello Ada" in ran.out
    assert "there is no folder" in hostd("run", file, "--plugins", str(tmp_path / "none")).err
