"""Text for people."""

import pytest

from hostd.cli import run_views, tables, terminal
from hostd.cli.plain import plain
from hostd.v1 import run_pb2


def test_columns_are_aligned_and_heads_stand_above() -> None:
    """Every cell begins where its head does; nothing trails."""
    text = tables.columns(("NAME", "N", "WHY"), [("a", 1, None), ("long-name", 20, "because")])

    assert text == "NAME       N   WHY\na          1\nlong-name  20  because"
    assert tables.columns(("A",), []) == ""


def test_nothing_that_a_terminal_obeys_gets_through() -> None:
    """Escape sequences and direction marks in names and messages are shown, not obeyed."""
    assert tables.cell("\x1b[2Jx\u202e") == "\\x1b[2Jx\\x202e"
    assert "\x1b" not in tables.columns(("A",), [("\x1b]0;title\x07",)])
    assert tables.cell("two\nlines") == "two lines"


def test_colors_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colors, NO_COLOR and files do not."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m" in tables.columns(("STATE",), [("SUCCEEDED",)])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in tables.columns(("STATE",), [("SUCCEEDED",)])


def test_durations_need_both_ends() -> None:
    """A run that lives has taken nothing yet; a clock that stepped back gives no negative time."""
    assert tables.duration_between("2026-01-01T00:00:00Z", "2026-01-01T00:01:02.500Z") == "1m2s500ms"
    assert tables.duration_between("2026-01-01T00:00:00Z", None) == ""
    assert tables.duration_between("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z") == "0s"


def test_a_run_shows_its_steps_failures_and_values() -> None:
    """What a person asks first: state, steps with attempts and errors, output."""
    run = run_pb2.Run(run_id="r1", workflow="w", version="1.0.0", state=run_pb2.RUN_STATE_FAILED, reason="STEP_FAILED")
    run.input.data = b'{"n":1}'
    step = run.steps.add(id="fetch", uses="http.request", state=run_pb2.STEP_STATE_FAILED, attempts=3)
    step.error.reason, step.error.message = "ACTION_FAILED", "503"
    run.failures.add(reason="ACTION_FAILED", code="HTTP_503", message="503", step="fetch")

    text = run_views.whole(plain(run))

    assert "fetch  http.request  FAILED  3" in text
    assert "fetch: ACTION_FAILED [HTTP_503]: 503" in text
    assert 'input: {"n":1}' in text
    assert "output" not in text


def test_a_record_is_one_line_of_a_timeline() -> None:
    """Time, step, state, attempt, what happened."""
    record = run_pb2.HistoryRecord(
        seq=4,
        kind=run_pb2.RECORD_KIND_ATTEMPT_FAILED,
        step="fetch",
        attempt=2,
        step_state=run_pb2.STEP_STATE_RETRYING,
    )
    record.time.FromJsonString("2026-01-01T10:00:00.250Z")
    record.failure.reason, record.failure.message = "ATTEMPT_TIMEOUT", "too\x1bslow"

    line = run_views.record_line(plain(record))

    assert line.split() == [
        "10:00:00.250", "fetch", "RETRYING", "#2", "ATTEMPT_FAILED", "ATTEMPT_TIMEOUT:", "too\\x1bslow",
    ]  # fmt: skip


def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest cells are cut, the first column never; `-o wide` and files cut nothing and wide shows all columns."""
    row = ("r" * 26, "w" * 40, "because " * 20, "extra")
    heads = ("RUN", "WORKFLOW", "WHY", "+MORE")
    assert len(tables.columns(heads, [row]).splitlines()[1]) > 200  # not a terminal
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    for line in tables.columns(heads, [row]).splitlines():
        assert len(line) <= 80
    assert "r" * 26 in tables.columns(heads, [row])
    assert "MORE" not in tables.columns(heads, [row])
    terminal.WISHES.hear(wide=True)
    try:
        assert "extra" in tables.columns(heads, [row])
        assert "because " * 19 in tables.columns(heads, [row])
    finally:
        terminal.WISHES.forget()


def test_states_and_times_are_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal loses columns without a cell first, then the ends of sentences, then those of words."""
    heads = ("RUN", "TIME", "STATE", "WORKFLOW", "REASON", "WHY")
    row = ("r" * 26, "2026-01-01T00:00:00.250Z", "SUCCEEDED", "w" * 12, "", "because of it all")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)

    def drawn(columns: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", columns)
        return [line.rstrip() for line in tables.columns(heads, [row]).splitlines()]

    assert "REASON" in drawn("120")[0]
    assert drawn("100")[0].split() == ["RUN", "TIME", "STATE", "WORKFLOW", "WHY"]
    assert drawn("100")[1] == f"{row[0]}  00:00:00.250Z  SUCCEEDED  {row[3]}  {row[5]}"
    assert drawn("80")[1] == f"{row[0]}  00:00:00.250Z  SUCCEEDED  {row[3]}  because of …"
    assert drawn("60")[1] == f"{row[0]}  00:00:00.250Z  SUCCEEDED  wwwwwww…  because…"
    assert "2026-01-01T00:00:00.250Z" in drawn("120")[1]
    other = (*row[:1], "2026-01-02T00:00:00Z", *row[2:])
    assert "  2026-01-01T00:00:00.250Z  " in tables.columns(heads, [row, other])  # of two days


def test_columns_count_what_a_terminal_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters of East Asia take two columns, marks above letters none; a cut one does not take more than there is."""
    rows = [("日本語", "x"), ("e\u0301a", "x"), ("plain", "x")]

    assert tables.columns(("KEY", "N"), rows) == "KEY     N\n日本語  x\ne\u0301a      x\nplain   x"
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    assert tables.shortened("日本語テスト", 6) == "日本…"
    assert tables.shortened("日本語", 6) == "日本語"


def test_an_age_is_its_largest_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds up to two minutes, minutes up to two hours, hours up to two days, then days."""
    monkeypatch.setattr("hostd.cli.tables.wall_ms", lambda: 1_767_225_600_000 + 200_000)
    assert tables.age("2026-01-01T00:00:00Z") == "3m"
    assert tables.age("2026-01-01T00:03:00Z") == "20s"
    assert tables.age("2025-12-31T00:00:00Z") == "24h"
    assert tables.age("2025-12-01T00:00:00Z") == "31d"
    assert tables.age("2026-02-01T00:00:00Z") == "0s"
    assert tables.age(None) == ""
