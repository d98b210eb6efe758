"""What each key does: fire a trigger, run the last run again, show its history and logs, list what there is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.cli import run_views
from hostd.cli.dev.documents import Documents
from hostd.cli.dev.excerpts import fix_of
from hostd.cli.dev.line import Line
from hostd.cli.dev.runs import Runs
from hostd.cli.dev.screen import Screen, badly, dim, note, styled
from hostd.cli.plain import plain
from hostd.cli.tables import clean, columns
from hostd.client import from_payload, to_payload
from hostd.errors.base import HostdError
from hostd.v1 import run_service_pb2 as pb
from hostd.v1 import trigger_service_pb2
from hostd.values.json_text import JsonValue, parse_json

if TYPE_CHECKING:
    from hostd.client import Client

KEYS = {
    "t": "fire a trigger or start a workflow",
    "r": "run the last run again, with the same input",
    "h": "history of the last run: every durable fact",
    "l": "logs of the last run",
    "w": "list workflows and triggers",
    "?": "this help",
    "q": "quit",
}
BAR = "t fire  r again  h history  l logs  w list  ? help  q quit"
RECORDS_MAX = 200


class Startable(NamedTuple):
    """What `t` can do. An empty trigger: start the workflow itself."""

    workflow: str
    trigger: str
    uses: str

    @property
    def label(self) -> str:
        """How it is listed."""
        if not self.trigger:
            return f"{self.workflow}  start with an input"
        owner = f"{self.workflow}/" if self.workflow else ""
        return f"{owner}{self.trigger}  {self.uses}"


class Keys:
    """Does what keys ask for, one after the other."""

    def __init__(self, client: Client, screen: Screen, documents: Documents, runs: Runs, line: Line) -> None:
        self.about: list[str] = []  # lines of the help: where everything is
        self._client, self._screen, self._documents, self._runs, self._line = client, screen, documents, runs, line
        self._given: dict[Startable, str] = {}  # what was written last, to be taken again
        self._doing = {"t": self._fire, "r": self._again, "h": self._history, "l": self._logs, "w": self._list,
                       "?": self._help}  # fmt: skip

    async def press(self, key: str) -> None:
        """Do what a key stands for; one that stands for nothing does nothing."""
        doing = self._doing.get(key)
        if doing is None:
            return
        try:
            await doing()
        except HostdError as error:
            self._refused(error)

    def _refused(self, error: HostdError) -> None:
        lines = [badly(f"{styled(error.reason, fg='red')}  {clean(error.message)}")]
        lines += [f"{'':11}{clean(fault.path)}: {clean(fault.message)}" for fault in error.violations[:5]]
        fix = fix_of(error.reason)
        self._screen.say("\n".join([*lines, *([f"{'':11}fix: {fix}"] if fix else [])]))

    # -- starting

    async def _fire(self) -> None:
        choices = await self._startable()
        if not choices:
            self._screen.say(note("there is no workflow to start yet: write one into the folder"))
            return
        chosen = choices[0] if len(choices) == 1 else await self._choose(choices)
        if chosen is None:
            return
        what = "data of the event" if chosen.trigger else "input"
        given = self._given.get(chosen, "{}" if not chosen.trigger else "")
        text = await self._line.ask(f"{chosen.label.split('  ')[0]}: {what}, JSON (Esc: not):", given)
        if text is None:
            return
        value = _json(text)
        self._given[chosen] = text
        if chosen.trigger:
            await self._fire_trigger(chosen, value)
        else:
            await self._start(chosen.workflow, value)

    async def _startable(self) -> list[Startable]:
        found = [
            Startable(each.workflow, each.name, each.uses) async for each in self._client.list_triggers()
        ]  # by workflow and name
        active = [each.workflow async for each in self._client.list_workflows() if each.active_version]
        return found + [Startable(name, "", "") for name in active]

    async def _choose(self, choices: list[Startable]) -> Startable | None:
        wide = len(str(len(choices)))
        self._screen.say("\n".join(f"{'':9}{at:>{wide}}  {clean(each.label)}" for at, each in enumerate(choices, 1)))
        text = await self._line.ask(f"which, 1 to {len(choices)} (Esc: none):")
        if text is None or not text.strip():
            return None
        if text.strip().isdecimal() and 0 < int(text[:6]) <= len(choices):
            return choices[int(text[:6]) - 1]
        self._screen.say(note(f"there is no {clean(text[:20])}: write a number from 1 to {len(choices)}"))
        return None

    async def _fire_trigger(self, chosen: Startable, value: JsonValue) -> None:
        request = trigger_service_pb2.FireTriggerRequest(
            workflow=chosen.workflow, name=chosen.trigger, data=None if value is None else to_payload(value)
        )
        done = await self._client.call(self._client.triggers.FireTrigger, request)
        if done.outcome != "STARTED":  # a run that starts is told of as every other
            where = "; `hostd dead-letters list` says why" if done.outcome == "DEAD_LETTERED" else ""
            self._screen.say(note(f"{clean(chosen.trigger)}: {done.outcome}{where}"))

    async def _start(self, workflow: str, value: JsonValue) -> None:
        start = pb.StartSpec(workflow=workflow, input=None if value is None else to_payload(value))
        await self._client.call(self._client.runs.StartRun, pb.StartRunRequest(start=start))

    async def _again(self) -> None:
        if not (last := self._last()):
            return
        run = await self._client.call(self._client.runs.GetRun, pb.GetRunRequest(run=last))
        value: Any = from_payload(run.input) if run.HasField("input") else None
        if isinstance(value, dict) and "$blob" in value:
            value = parse_json(await self._client.read_blob(value))
        await self._start(run.workflow, value)

    # -- looking

    def _last(self) -> pb.RunRef | None:
        if not self._runs.last:
            self._screen.say(note("nothing has run yet: t fires a trigger or starts a workflow"))
            return None
        return pb.RunRef(run_id=self._runs.last)

    async def _history(self) -> None:
        if not (last := self._last()):
            return
        page = await self._client.call(self._client.runs.GetRunHistory, pb.GetRunHistoryRequest(run=last))
        found = [plain(record) for record in page.records]
        more = len(found) > RECORDS_MAX or page.next_page_token
        rest = dim(f"\nonly {RECORDS_MAX} records; `hostd runs history {last.run_id}` shows all") if more else ""
        head = f"{styled('history', bold=True)} of run {last.run_id}"
        self._screen.say(f"\n{head}\n{run_views.records(found[:RECORDS_MAX])}{rest}\n")

    async def _logs(self) -> None:
        if not (last := self._last()):
            return
        answer = await self._client.call(self._client.runs.GetLogs, pb.GetLogsRequest(run=last))
        lines = [plain(line) for line in answer.lines][-RECORDS_MAX:]
        head = f"{styled('logs', bold=True)} of run {last.run_id}"
        self._screen.say(f"\n{head}\n{run_views.log_lines(lines) or dim('its attempts logged nothing')}\n")

    async def _list(self) -> None:
        active = {each.workflow: each.active_version async for each in self._client.list_workflows()}
        files = {about.name: name for name, file in self._documents.files.items() for about in file.names if about.name}
        rows = [
            (name, version or "-", self._runs.states.get(name, ""), files.get(name, ""))
            for name, version in active.items()
            if version or name in files
        ]
        parts = [columns(("WORKFLOW", "ACTIVE", "LAST RUN", "FILE"), rows) or dim("no workflow is registered")]
        triggers = [each async for each in self._client.list_triggers()]
        heads = ("TRIGGER", "USES", "STATE", "FIRED", "DETAIL")
        of = [(f"{each.workflow}/{each.name}", each.uses, each.state, each.fired, each.message) for each in triggers]
        parts.append(columns(heads, of))
        wrong = [(name, f"{len(file.faults)} mistakes") for name, file in self._documents.files.items() if file.faults]
        parts.append(columns(("WRONG", "MISTAKES"), wrong))
        self._screen.say("\n" + "\n\n".join(part for part in parts if part) + "\n")

    async def _help(self) -> None:
        await asyncio.sleep(0)
        lines = [f"  {styled(key, bold=True)}  {what}" for key, what in KEYS.items()]
        self._screen.say("\n".join(["", *lines, "", *self.about, ""]))


def _json(text: str) -> JsonValue:
    """Return the value of what was written, null for nothing. Raises PAYLOAD_INVALID."""
    return parse_json(text) if text.strip() else None
