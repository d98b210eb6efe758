"""Ninety mistakes people make, with real files and a real daemon: what they read names the fix, word for word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commands import CommandDaemon
from mistakes.every import MISTAKES
from mistakes.kit import Stage

from hostd.errors.codes import CODES

GOLDEN = Path(__file__).parents[1] / "golden" / "mistakes"
EXIT_CODES = {codes.exit for codes in CODES.values()} | {0, 1, None}  # 1: a run that failed; None: not our program
NAMES_A_FIX = re.compile(
    r"^fix:? |\"fix\": |\(\S[^)]*.*\)$|\bdid you (?:mean|forget)\b|\bsuch as\b|`hostd [a-z]+"  # a line, a suggestion
    r"|\b(?:add|call|choose|give|go together|it takes|gives|leave|list|name|says|send|shows|sign|use|write)\b",
    re.MULTILINE,
)
OUR_INSIDES = re.compile(  # a traceback may show the plugin's own lines, to who writes it
    r"File \"[^\"]*/(?:hostd|site-packages)/|Traceback(?! \(most recent call last\):\n  File \"hello/)"
    r"|\bhostd\.(?!client\b|plugin\b)[a-z_]+\.[a-z_]+|\bgrpc\.|<class |0x[0-9a-f]{6}"
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandDaemon]:
    """Return a daemon that all mistakes share."""
    with closing(CommandDaemon(tmp_path_factory.mktemp("daemon"))) as daemon:
        daemon.start()
        yield daemon
        daemon.stop()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_its_fix(name: str, daemon: CommandDaemon, tmp_path: Path) -> None:
    """What is printed is the golden file (HOSTD_UPDATE_GOLDEN=1 writes it anew), names a fix, and shows no insides."""
    mistake = MISTAKES[name]
    stage = Stage(tmp_path, daemon)
    mistake.play(stage)
    told = stage.transcript(mistake)
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("HOSTD_UPDATE_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()
    assert stage.answers
    for code, text in stage.answers:
        assert code in EXIT_CODES, text
        assert code in (0, None) or NAMES_A_FIX.search(text), f"no fix is named: {text}"
        assert not OUR_INSIDES.search(text), text
    assert any(NAMES_A_FIX.search(answer.text) for answer in stage.answers)


def test_the_golden_files_are_those_of_the_list() -> None:
    """There are more than fifty, and none is left over."""
    assert {file.stem for file in GOLDEN.iterdir()} == set(MISTAKES)
    assert len(MISTAKES) >= 50
