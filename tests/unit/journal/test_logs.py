"""Attempt logs: files per run, bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from journals import text_run_id

from hostd.errors.base import HostdError
from hostd.journal import logs
from hostd.journal.logs import ATTEMPT_MARK, RUN_MARK, AttemptLogs
from hostd.model.ids import stored_id

RUN = text_run_id(1)


def test_lines_come_back_by_step_and_attempt(tmp_path: Path) -> None:
    """What an attempt wrote is read back in order, for a run, a step or an attempt."""
    store = AttemptLogs(tmp_path)
    store.append(RUN, "fetch", 2, ["two", "with\nline\r\nends"])
    store.append(RUN, "fetch", 1, ["one"])
    store.append(RUN, "fetch", 2, ["three"])
    store.append(RUN, "pay", 1, ["paid"])
    assert [tuple(log) for log in store.read(RUN)] == [
        ("fetch", 1, ["one"]),
        ("fetch", 2, ["two", "with line ends", "three"]),
        ("pay", 1, ["paid"]),
    ]
    assert [log.attempt for log in store.read(RUN, "fetch")] == [1, 2]
    assert [log.lines for log in store.read(RUN, "fetch", 1)] == [["one"]]
    assert list(store.read(text_run_id(2))) == []
    assert store.lines(RUN, "fetch", 2) == ["two", "with line ends", "three"]
    assert store.lines(RUN, "fetch", 9) == []


def test_a_line_stays_one_whatever_is_in_it(tmp_path: Path) -> None:
    """Separators of Unicode and form feeds end no line: lines are counted alike before and after they are written."""
    store = AttemptLogs(tmp_path)
    odd = ["a\x0cb\u2028c\x1dd\x85e", "", "f"]
    store.append(RUN, "fetch", 1, odd)
    assert store.lines(RUN, "fetch", 1) == [logs.one_line(line) for line in odd] == odd


def test_an_attempt_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past its limit an attempt's log ends with one marker line, whatever is added later."""
    monkeypatch.setattr(logs, "ATTEMPT_BYTES_MAX", 100)
    store = AttemptLogs(tmp_path)
    for _ in range(30):
        store.append(RUN, "fetch", 1, ["x" * 9])
    (log,) = store.read(RUN)
    assert log.lines == ["x" * 9] * 10 + [ATTEMPT_MARK]


def test_a_run_is_bounded_across_attempts_and_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All attempts of a run share a limit, which a new process knows from the files."""
    monkeypatch.setattr(logs, "RUN_BYTES_MAX", 100)
    AttemptLogs(tmp_path).append(RUN, "fetch", 1, ["x" * 79])
    store = AttemptLogs(tmp_path)
    store.append(RUN, "fetch", 2, ["y" * 9, "z" * 20])
    assert [log.lines for log in store.read(RUN, attempt=2)] == [["y" * 9, RUN_MARK]]


@pytest.mark.parametrize("run_id, step", [("../../etc", "x"), (RUN, "../x"), (RUN, ".."), (RUN, "a/b")])
def test_names_stay_inside_the_folder(tmp_path: Path, run_id: str, step: str) -> None:
    """Neither run id nor step name can lead to another place."""
    with pytest.raises(HostdError, match="BUG"):
        AttemptLogs(tmp_path).append(run_id, step, 1, ["x"])
    assert list(tmp_path.iterdir()) == []


def test_logs_go_with_their_run_or_their_age(tmp_path: Path) -> None:
    """Deleting takes one run's logs; pruning those nothing was added to for long."""
    store = AttemptLogs(tmp_path)
    runs = [text_run_id(number) for number in range(3)]
    for run in runs:
        store.append(run, "a", 1, ["x"])
    store.delete(runs[0])
    store.delete(runs[0])
    (old,) = tmp_path.glob(f"*/{runs[1]}/*.log")
    os.utime(old, (1_000, 1_000))
    now_ms = int(next(tmp_path.glob(f"*/{runs[2]}/*.log")).stat().st_mtime * 1000)
    assert store.prune(now_ms=now_ms, keep_ms=0) == 0
    assert store.prune(now_ms=now_ms, keep_ms=60_000) == 1
    assert [bool(list(store.read(run))) for run in runs] == [False, False, True]


def test_a_runs_own_time_goes_before_the_operators(tmp_path: Path) -> None:
    """Logs of a run with a time of its own go by that, shorter or longer, even where the others stay for ever."""
    store = AttemptLogs(tmp_path)
    short, long, plain = (text_run_id(number) for number in range(3))
    for run in (short, long, plain):
        store.append(run, "a", 1, ["x"])
        (file,) = tmp_path.glob(f"*/{run}/*.log")
        os.utime(file, (1_000, 1_000))
    own = {stored_id(short): 50_000, stored_id(long): 900_000}

    assert store.prune(now_ms=1_100_000, keep_ms=0, own=lambda _runs: own) == 1
    assert store.prune(now_ms=1_200_000, keep_ms=100_000, own=lambda _runs: own) == 1
    assert [bool(list(store.read(run))) for run in (short, long, plain)] == [False, True, False]
