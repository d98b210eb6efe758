"""`hostd trigger` and `hostd dead-letters` against a host: what they print, and their exit codes."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from daemon_kit import Kit

from hostd.cli.main import run

FILE = """\
trigger: hourly
target: order@active
uses: cron.schedule
with: {cron: "0 * * * *", timezone: Europe/Berlin}
input: {n: 1}
---
workflow: order
version: 1.0.0
inputs: {type: object, properties: {n: {type: integer}}}
triggers:
  hook: {uses: mock.emit, with: {count: 0}, input: {n: "${{ event.data.n }}"}}
steps: {a: {uses: flow.pass}}
"""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """The JSON lines it printed."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs commands against the host of a kit."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    async def __call__(self, *arguments: str) -> Done:
        """Run `hostd ARGUMENTS`."""
        self._capture.readouterr()
        code = await asyncio.to_thread(run, [*arguments, "--data", str(self.folder / "d")])
        return Done(code, *self._capture.readouterr())

    def file(self, text: str) -> str:
        """Return a file with a text."""
        path = self.folder / "t.yaml"
        path.write_text(text)
        return str(path)


@pytest.fixture
async def shell(kit: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Commands against a host that has the documents of FILE."""
    shell = Shell(tmp_path, capfd)
    (tmp_path / "t.yaml").write_text(FILE)
    registered = await shell("workflow", "register", str(tmp_path / "t.yaml"), "-o", "json")
    assert registered.code == 0, registered
    created = registered.json
    assert [sorted(answer) for answer in created] == [
        ["created", "warnings", "workflow"],
        ["changed", "trigger", "warnings"],
    ]
    await kit.core.triggers.reconcile()
    return shell


async def test_one_file_holds_workflows_and_triggers(shell: Shell) -> None:
    """register takes both, workflows first; validate knows both, without a daemon and with one."""
    local = await asyncio.to_thread(run, ["validate", shell.file(FILE)])
    good = await shell("workflow", "validate", shell.file(FILE))
    bad = await shell("workflow", "validate", shell.file(FILE.replace("{n: 1}", "{n: x}")), "-o", "json")
    listed = await shell("trigger", "list", "-o", "json")

    assert (local, good.code) == (0, 0)
    assert (bad.code, [(fault["path"], fault["line"]) for fault in bad.json]) == (2, [("input.n", 5)])
    assert [(item["workflow"], item["name"], item["target"]) for item in listed.json] == [
        ("", "hourly", "order@active"), ("order", "hook", ""),
    ]  # fmt: skip


async def test_a_trigger_is_applied_and_deleted(shell: Shell) -> None:
    """apply once more changes nothing, another document replaces or is refused; one word names a trigger of its own."""
    own = FILE.split("---")[0]
    same = await shell("trigger", "apply", shell.file(own))
    other = own.replace("0 * * * *", "5 * * * *")
    refused = await shell("trigger", "apply", "--no-replace", shell.file(other))
    changed = await shell("trigger", "apply", shell.file(other), "-o", "json")
    wrong = await shell("trigger", "apply", shell.file(own.replace("order@active", "order")))
    shown = await shell("trigger", "show", "hourly", "-o", "json")
    deleted = await shell("trigger", "delete", "hourly")
    gone = await shell("trigger", "delete", "hourly")

    assert (same.code, same.out) == (0, "hourly was so already, starts order@active\n")
    assert (refused.code, refused.err.splitlines()[0][:21]) == (5, "error: TRIGGER_EXISTS")
    assert changed.json[0]["changed"] is True
    assert (wrong.code, ":2:9 target: VALUE_INVALID" in wrong.err) == (2, True)
    assert shown.json[0]["source"] == other
    assert (deleted.code, deleted.out) == (0, "deleted hourly\n")
    assert gone.code == 4


async def test_an_event_is_tried(shell: Shell) -> None:
    """0 where it would start a run, 2 where it would be a dead letter; a file is tried before it is registered."""
    good = await shell("trigger", "test", "order", "hook", "--event-data", '{"n": 1}', "-o", "json")
    bad = await shell("trigger", "test", "order/hook", "--event-data", '{"n": "x"}')
    named = await shell("trigger", "test", "hourly")
    document = FILE.split("---")[1].replace("event.data.n", "event.data.m")
    of_file = await shell("trigger", "test", "--file", shell.file(document), "--event-data", '{"m": 3}', "-o", "json")
    mistakes = await shell("trigger", "test", "--file", shell.file(document.replace("mock.emit", "mock.none")))

    assert (good.code, good.json[0]["outcome"], good.json[0]["input"]) == (0, "STARTED", {"n": 1})
    assert bad.code == 2
    assert "\ninput.n: INPUT_INVALID" in bad.out
    assert (named.code, named.out.split()[1]) == (0, "STARTED")
    assert (of_file.code, of_file.json[0]["input"]) == (0, {"n": 3})
    assert (mistakes.code, "TRIGGER_UNKNOWN" in mistakes.out) == (2, True)


async def test_times_are_shown_and_filled_in(shell: Shell) -> None:
    """preview prints one line a slot; backfill prints counts, again it finds them fired; bad times are refused."""
    after = ("--after", "2026-03-28T23:30:00Z", "--count", "3")
    times = await shell("trigger", "preview", "hourly", *after, "-o", "json")
    table = await shell("trigger", "preview", "--uses", "cron.every", "--with", '{"period": "1d"}', *after)
    window = ("backfill", "hourly", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-01T03:00:00Z")
    dry = await shell("trigger", *window, "--dry-run", "-o", "json")
    done = await shell("trigger", *window, "--request-id", "r1", "-o", "json")
    repeated = await shell("trigger", *window, "--request-id", "r1", "-o", "json")
    again = await shell("trigger", *window)
    bad = await shell("trigger", "preview", "hourly", "--after", "tomorrow")
    clockless = await shell("trigger", "preview", "order", "hook")
    unreadable = await shell("trigger", "backfill", "hourly", "--from", "today", "--to", "2026-01-01T03:00:00Z")
    endless = await shell("trigger", *window[:3], "0001-01-01T00:00:00Z", *window[4:])

    assert [slot["local_time"] for slot in times.json] == [
        "2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00",
    ]  # fmt: skip
    assert table.out.splitlines()[0].split() == ["TIME", "UTC"]
    assert (dry.json[0]["slots"], dry.json[0]["started"]) == (3, 3)
    assert (done.json[0]["started"], done.json[0]["duplicates"]) == (3, 0)
    assert repeated.json == done.json
    assert again.out == "slots       3\nduplicates  3\n"
    assert (bad.code, "ARGUMENT_INVALID" in bad.err) == (2, True)
    assert (clockless.code, "SCHEDULE_MISSING" in clockless.err) == (6, True)
    assert "--from: 'today' is no time" in unreadable.err
    assert "more than 10000 slots" in endless.err


async def test_triggers_are_watched(shell: Shell) -> None:
    """One JSON line a change, the snapshot first."""
    seen = await shell("trigger", "watch", "--until-snapshot", "-o", "json")
    table = await shell("trigger", "watch", "--until-snapshot", "--workflow", "order")

    assert [(line["kind"], line["trigger"]["name"]) for line in seen.json] == [("ADDED", "hourly"), ("ADDED", "hook")]
    assert table.out.startswith("ADDED     order/hook  ")


async def test_dead_letters_are_listed_redriven_and_purged(shell: Shell) -> None:
    """list, show, redrive (6 while letters are left), purge; a selection must be said."""
    for text in ("a", "b"):
        data = json.dumps({"n": text})
        fired = await shell("trigger", "fire", "order", "hook", "--event-data", data, "--event-id", text, "-o", "json")
        assert fired.json[0]["outcome"] == "DEAD_LETTERED" and fired.code == 6
        assert re.match(r"dead letter \d+: INPUT_INVALID: n: ", fired.err), fired.err
    listed = await shell("dead-letters", "list", "-o", "json")
    table = await shell("dead-letters", "list", "--filter", 'event_id == "b"')
    shown = await shell("dead-letters", "show", str(listed.json[0]["number"]), "-o", "json")
    left = await shell("dead-letters", "redrive", "--all", "-o", "json")
    unsaid = await shell("dead-letters", "purge")
    lenient = FILE.split("---")[1].replace("1.0.0", "1.1.0").replace("type: integer", "type: string")
    await shell("workflow", "register", shell.file(lenient))
    await shell("trigger", "list")
    number = str(listed.json[0]["number"])
    purged = [await shell("dead-letters", "purge", number, "--request-id", "p", "-o", "json") for _ in range(2)]
    redrive = ("dead-letters", "redrive", "--filter", 'event_id == "b"', "--request-id", "r", "-o", "json")
    done, repeated = await shell(*redrive), await shell(*redrive)
    empty = await shell("dead-letters", "list")
    unknown = await shell("dead-letters", "redrive", "77", "-o", "json")
    absurd = await shell("dead-letters", "show", "9" * 20)

    assert [letter["event_id"] for letter in listed.json] == ["a", "b"]
    assert [line.split()[3] for line in table.out.splitlines()] == ["EVENT", "b"]
    assert shown.json[0]["event"]["data"] == {"n": "a"}
    assert (left.code, [item["failure"]["reason"] for item in left.json]) == (6, ["INPUT_INVALID", "INPUT_INVALID"])
    assert (unsaid.code, "ARGUMENT_INVALID" in unsaid.err) == (2, True)
    assert [once.json for once in purged] == [[{"purged": 1}]] * 2
    assert repeated.json == done.json
    assert (done.code, [item["outcome"] for item in done.json]) == (0, ["STARTED"])
    assert (empty.code, empty.out) == (0, "")
    assert (unknown.code, "no such dead letter: 77" in unknown.err) == (4, True)
    assert (absurd.code, "ARGUMENT_INVALID" in absurd.err) == (2, True)
