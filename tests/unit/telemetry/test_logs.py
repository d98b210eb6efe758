"""The daemon's log: one event a record, in text or JSON, whatever goes in."""

import io
import json
import logging

import pytest

from hostd.telemetry.log_rate import EVENTS_A_SECOND, events_dropped
from hostd.telemetry.logs import TextFormatter, configure_logs, hide_in_logs, hide_no_more, log_scope, set_log_level

log = logging.getLogger("hostd.test")
other = logging.getLogger("thirdparty")


def text_stream() -> io.StringIO:
    """Configure text logs and return where they go."""
    stream = io.StringIO()
    configure_logs(level="info", style="text", stream=stream)
    return stream


def json_stream() -> io.StringIO:
    """Configure JSON logs and return where they go."""
    stream = io.StringIO()
    configure_logs(level="info", style="json", stream=stream)
    return stream


def test_an_event_is_one_line_of_text() -> None:
    """Time, level, logger, event and fields; a value with spaces is quoted."""
    stream = text_stream()

    log.info("run_ended run_id=%s state=%s why=%s ms=%d", "r1", "FAILED", 'a "b" c', 12)

    time, rest = stream.getvalue().split(" ", 1)
    assert rest == 'info    hostd.test run_ended run_id=r1 state=FAILED why="a \\"b\\" c" ms=12\n'
    assert len(time) == len("2026-11-21T11:15:30.123Z")
    assert time.endswith("Z")


def test_json_keeps_the_fields_apart() -> None:
    """Numbers stay numbers, and a value may hold anything."""
    stream = json_stream()

    log.warning("clock_step back_ms=%d name=%r", 40, "x\ny")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["back_ms"], line["name"], line["level"]) == ("clock_step", 40, "'x\\ny'", "warning")


def test_nothing_from_outside_can_pass_for_an_event() -> None:
    """Line feeds and control characters in a value or a message never begin a line in column 0."""
    forged = "x\n2026-01-01T00:00:00.000Z error   hostd forged\x1b[2J\r\u2028"
    stream = text_stream()
    log.info("run_ended key=%s", forged)
    log.info(f"free text {forged}")  # noqa: G004
    log.info(forged)
    lines = [line for line in stream.getvalue().split("\n") if line and not line.startswith("    ")]
    assert len(lines) == 3
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()

    stream = json_stream()
    log.info("run_ended key=%s", forged)
    log.info(forged)
    assert len(stream.getvalue().splitlines()) == 2


def test_a_traceback_is_indented_or_a_field() -> None:
    """People read it below the event; programs find it in `trace`."""
    for configured in (text_stream, json_stream):
        stream = configured()
        try:
            raise KeyError("gone")
        except KeyError:
            log.exception("task_failed name=%s", "t")
        if stream.getvalue().startswith("{"):
            assert "KeyError: 'gone'" in json.loads(stream.getvalue())["trace"]
        else:
            assert stream.getvalue().split("\n")[1] == "    Traceback (most recent call last):"


def test_third_party_records_and_warnings_take_the_same_form() -> None:
    """Whatever the process logs comes out in one form; others are quiet below warning."""
    import warnings

    stream = json_stream()

    other.info("chatter")
    other.warning("it is %s: 100%%", "late")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["event"] == "it is late: 100%"
    assert lines[0]["logger"] == "thirdparty"
    assert lines[1]["logger"] == "py.warnings"


def test_the_level_changes_while_running() -> None:
    """Debug shows everything, error hides the rest; a word that is no level is refused."""
    stream = text_stream()
    log.debug("hidden_event")
    set_log_level("debug")
    log.debug("shown_event")
    other.debug("shown too")
    set_log_level("error")
    log.warning("hidden_again")

    assert [line.split()[3] for line in stream.getvalue().splitlines()] == ["shown_event", "shown"]
    with pytest.raises(ValueError, match="is not a log level"):
        set_log_level("loud")


def test_a_scope_adds_its_fields() -> None:
    """Inside a scope every event carries the ids of the run, also one that another library logs."""
    stream = json_stream()

    with log_scope(run_id="r1"), log_scope(step="s1"):
        log.info("step_started")
        other.warning("retrying")
    log.info("idle")

    first, second, last = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["run_id"], first["step"]) == ("r1", "s1")
    assert (second["run_id"], second["step"]) == ("r1", "s1")
    assert "run_id" not in last


def test_an_event_whose_arguments_do_not_fit_is_not_lost() -> None:
    """A mistake at the call prints what there is."""
    stream = text_stream()

    log.info("run_ended run_id=%s state=%s", "r1")
    log.info("count=%d", "not a number")

    assert "run_ended" in stream.getvalue()
    assert "not a number" in stream.getvalue()


def test_a_huge_value_is_cut() -> None:
    """A line is bounded whatever is logged."""
    stream = text_stream()

    log.info("blob_read data=%s", "x" * 1_000_000)
    log.info("y" * 1_000_000)

    assert all(len(line) < 10_000 for line in stream.getvalue().splitlines())


def test_each_host_of_a_process_hides_its_secrets_until_it_is_closed() -> None:
    """Two hosts are open: events show the secrets of neither; a closed one takes only its own hiding with it."""

    def first(text: str) -> str:
        return text.replace("alpha", "***")

    def second(text: str) -> str:
        return text.replace("beta", "***")

    hide_in_logs(first)
    hide_in_logs(second)
    try:
        assert written("said text=%s", "alpha beta") == 'said text="*** ***"'
        hide_no_more(first)
        assert written("said text=%s", "alpha beta") == 'said text="alpha ***"'
    finally:
        hide_no_more(first)
        hide_no_more(second)


def written(text: str, *arguments: object) -> str:
    """Return an event's line without time, level and logger."""
    record = logging.LogRecord("hostd.test", logging.INFO, __file__, 1, text, arguments, None)
    return TextFormatter().format(record).split("hostd.test ", 1)[1]


def flood(handler: logging.Handler, name: str, count: int, *, at_s: float, level: int = logging.INFO) -> None:
    """Handle events of one logger in one second."""
    for number in range(count):
        record = logging.LogRecord(name, level, "", 0, "line_written number=%d", (number,), None)
        record.created = at_s
        handler.handle(record)


def test_who_floods_the_log_loses_his_own_lines_only() -> None:
    """Of 100,000 lines in a second some stay, and one line that tells the rest; others and errors get through."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    [handler] = logging.getLogger().handlers
    before = events_dropped()
    with log_scope(run_id="r1"):
        flood(handler, "hostd.plugin.noisy", 100_000, at_s=1_000)
        flood(handler, "hostd.plugin.noisy", 1, at_s=1_000.5, level=logging.ERROR)
        flood(handler, "hostd.plugin.quiet", 1, at_s=1_000.9)
        flood(handler, "hostd.plugin.quiet", 1, at_s=1_001)
    lines = stream.getvalue().splitlines()
    assert sum("hostd.plugin.noisy line_written" in line for line in lines) == EVENTS_A_SECOND + 1
    assert sum("hostd.plugin.quiet" in line for line in lines) == 2
    [told] = [line for line in lines if "log_events_dropped" in line]
    assert told.endswith(f"of=hostd.plugin.noisy count={100_000 - EVENTS_A_SECOND}"), "and of no run"
    assert events_dropped() - before == 100_000 - EVENTS_A_SECOND


HOSTILE = "a\n2026-01-01T00:00:00.000Z error   hostd.journal lost\x1b[2J\r\x9b31m\u202egnp\u2066\u200b\u2028b\x00"


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("template", ["plugin_output line=%s", "%s", "it failed\n%s", "it_failed\n%s"])
def test_what_comes_from_outside_steers_nothing(style: str, template: str) -> None:
    """No line of its own, no escape sequence and nothing that hides or turns text round, in values and in free text."""
    stream = io.StringIO()
    configure_logs(style=style, stream=stream)
    with log_scope(step=HOSTILE):
        logging.getLogger("hostd.test").warning(template, HOSTILE)
    text = stream.getvalue()
    events = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(events) == 1
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    if style == "json":
        shown = json.loads(text)
        assert any(HOSTILE in shown.get(field, "") for field in ("line", "event")) or "trace" in shown
        assert shown["step"] == HOSTILE


def test_numbers_are_as_precise_as_the_event_says_and_a_text_may_stand_behind() -> None:
    """`%.1f` is a number with one digit, `%.0f` a whole one; behind a line feed stands what JSON calls `trace`."""
    stream = json_stream()
    log.warning("job_restarts in_s=%.1f of=%.0f why=%s\n%s", 1.26, 30.2, "gone", "first\nsecond\n")
    log.warning("job_restarts in_s=%.1f of=%.0f why=%s\n%s", 1.26, 30.2, "gone", "")
    told, plain = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (told["event"], told["in_s"], told["of"], told["why"]) == ("job_restarts", 1.3, 30, "gone")
    assert told["trace"] == "first\nsecond"
    assert "trace" not in plain
    stream = text_stream()
    log.warning("job_stalls ms=%d\n%s", 5, "first\nsecond")
    assert stream.getvalue().endswith("job_stalls ms=5\n    first\n    second\n")
