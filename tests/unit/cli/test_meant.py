"""What people write who know another tool, and what hostd says they mean."""

from __future__ import annotations

from typing import Any

import click
import pytest

from hostd.cli.lazy import verbs_by_noun
from hostd.cli.main import root
from hostd.cli.meant import LINES, NOUNS, VERBS, meant, meant_by_run

GROUPS = verbs_by_noun(click.Context(root, info_name="hostd"))

MEANT = {
    # kubectl
    "get runs": ["runs list"],
    "get run r-1": ["runs show r-1"],
    "get workflows": ["workflow list"],
    "describe run r-1": ["runs show r-1"],
    "delete workflow w": ["workflow delete w"],
    "apply -f a.yaml": ["workflow register a.yaml"],
    "logs r-1": ["runs logs r-1"],
    "get secret s": ["secret list"],
    "create secret s": ["secret set s"],
    "config set a b": ["config show"],
    "version": ["--version"],
    # docker, systemctl
    "ps": ["runs list"],
    "ls": ["workflow list", "runs list", "trigger list"],
    "runs ls": ["runs list"],
    "runs rm r-1": ["runs delete r-1"],
    "runs inspect r-1": ["runs show r-1"],
    "rm run r-1": ["runs delete r-1"],
    "stop r-1": ["runs cancel r-1"],
    "kill r-1": ["runs terminate r-1"],
    "status": ["info"],
    "runs status": ["runs list"],
    "trigger disable w t": ["trigger pause w t"],
    "up": ["serve"],
    # nomad, dagu, temporal
    "job list": ["runs list"],
    "dag start w": ["runs start w"],
    "start w": ["runs start w"],
    "workflow start w": ["runs start w"],
    "workflow execute w --input '{}'": ["runs start w --input ''\"'\"'{}'\"'\"''"],
    "runs retry r-1": ["runs rerun r-1"],
    "schedule list": ["trigger list"],
    "dlq": ["dead-letters list"],
    # git
    "help": ["--help"],
    "help runs": ["runs --help"],
    "runs help list": ["runs list --help"],
    "help serve": ["serve --help"],
    # slips
    "rusn list": ["runs list"],
    "wrokflow show w": ["workflow show w"],
    "runs lits": ["runs list"],
    "lint a.yaml": ["validate a.yaml"],
    "workflow watch r-1": ["runs watch r-1", "trigger watch r-1", "plugin watch r-1"],
    "frobnicate": [],
    "runs frobnicate": [],
}


@pytest.mark.parametrize("typed", MEANT)
def test_words_of_others_are_answered_with_the_command(typed: str) -> None:
    """The whole command stands there, with what came behind the words."""
    assert meant(typed.split(), GROUPS) == MEANT[typed]


def test_run_is_told_from_runs() -> None:
    """`hostd run` takes a file: a verb behind it means `runs`, another word a workflow that is registered."""
    said = {
        words: meant_by_run(words.split(), GROUPS) for words in ("list", "show r-1", "get r-1", "start w", "w", "help")
    }

    assert said == {
        "list": "runs list",
        "show r-1": "runs show r-1",
        "get r-1": "runs show r-1",
        "start w": "runs start w",
        "w": "runs start w",
        "help": "runs --help",
    }


def test_everything_that_is_suggested_is_there() -> None:
    """No table names a command that is not, nor a word of others that is one of ours."""
    for line in LINES.values():
        words = [word for word in line.split() if word != "{}" and not word.startswith("-")]
        assert not words or words[0] in GROUPS
        assert len(words) < 2 or words[1] in GROUPS[words[0]], line
    assert set(NOUNS.values()) <= {noun for noun, verbs in GROUPS.items() if verbs}
    every = {verb for verbs in GROUPS.values() for verb in verbs}
    assert {verb for verbs in VERBS.values() for verb in verbs} <= every
    assert not {phrase for phrase in LINES if len(words := phrase.split()) == 2 and words[1] in GROUPS[words[0]]}
    assert not set(LINES) & set(GROUPS)


def test_a_long_rest_is_not_said_again() -> None:
    """A hint stays one line."""
    assert meant(["start", "w", "--input", "x" * 200], GROUPS) == ["runs start ..."]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run list", "`hostd run` takes a file, and 'list' is none here. Did you mean `hostd runs list`?"),
        ("run show r-1", "Did you mean `hostd runs show r-1`?"),
        ("run greet", "Did you mean `hostd runs start greet`?"),
        ("runs describe r-1", "No such command 'describe'. Did you mean `hostd runs show r-1`?"),
        ("--data d get runs", "No such command 'get'. Did you mean `hostd runs list`?"),
        ("secret ls", "No such command 'ls'. Did you mean `hostd secret list`?"),
    ],
)
def test_the_command_line_says_it(hostd: Any, words: str, says: str) -> None:
    """One error with exit code 2, which ends with the command."""
    done = hostd(*words.split())

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ARGUMENT_INVALID: ")
    assert says in done.err


def test_a_noun_may_stand_in_singular_or_plural(hostd: Any) -> None:
    """`hostd workflows list` is `hostd workflow list`; only `run` is a command of its own beside `runs`."""
    for other, own in (("workflows", "workflow"), ("dead-letter", "dead-letters"), ("events", "event")):
        assert hostd(other, "--help").out == hostd(own, "--help").out
        assert hostd(own, "--help").out.startswith(f"Usage: hostd {own} ")
    assert hostd("run", "--help").out != hostd("runs", "--help").out


def test_lists_of_commands_are_not_cut(hostd: Any) -> None:
    """Each verb stands with its whole sentence."""
    shown = hostd("runs", "--help").out

    assert "..." not in shown.partition("Commands:")[2].replace("`...`", "")
    assert "Write a value that is kept as a blob to standard output, byte for byte." in " ".join(shown.split())
