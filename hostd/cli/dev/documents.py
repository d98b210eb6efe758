"""The documents of a folder, kept registered: what changes is registered anew, what goes is deactivated, and what is
wrong is told with its place while the version before stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hostd.cli.dev.excerpts import distinct, excerpts
from hostd.cli.dev.inside import Named, TriggerAbout, named, triggers_of
from hostd.cli.dev.scan import Mark, documents_in, read_document
from hostd.cli.dev.screen import Screen, badly, dim, fitted, gone, note, styled, well
from hostd.cli.tables import clean
from hostd.cli.workflows import documents_of
from hostd.errors.base import HostdError, Violation
from hostd.v1 import trigger_service_pb2, workflow_service_pb2

if TYPE_CHECKING:
    from hostd.client import Client

_UNKNOWN = Named()
Leaving: TypeAlias = tuple[Iterable[Named], str]
"""What is in no document any more, and why."""


class DocumentFile:
    """A file as it was last looked at."""

    def __init__(self, mark: Mark | None = None) -> None:
        self.mark = mark
        self.seen: Mark | None = None  # a change that has not stood still for one look
        self.text: str | None = None
        self.names: dict[Named, str] = {}  # with the version that is active; empty before the first
        self.faults: list[Violation] = []

    @property
    def unknown(self) -> bool:
        """Whether nobody can say which workflows it is about."""
        return _UNKNOWN in self.names


class Documents:
    """Owns what files say. `look` compares the folder with what is registered."""

    def __init__(self, folder: Path, client: Client, screen: Screen, http: str) -> None:
        self.files: dict[str, DocumentFile] = {}
        self._folder, self._client, self._screen, self._http = folder, client, screen, http
        self._told = ""  # what stands in the way of looking
        self._one = asyncio.Lock()  # a plugin may change while the folder is looked at
        self._settled = False  # what earlier sessions left active was looked through

    async def look(self, *, first: bool = False) -> None:
        """See to what changed; a change counts once it has stood still for one look, but for the first."""
        try:
            there = await asyncio.to_thread(documents_in, self._folder)
        except HostdError as error:
            if error.message != self._told:
                self._screen.say(badly(clean(error.message)))
            self._told = error.message
            return
        self._told = ""
        async with self._one:
            await self._compare(there, first=first)

    async def _compare(self, there: Mapping[str, Mark], *, first: bool) -> None:
        changed = [name for name, mark in there.items() if self._changed(name, mark, first=first)]
        left = [(self.files.pop(name).names, f"{name} is gone") for name in list(self.files) if name not in there]
        if changed or left or first:
            leaving = [*await self._take(changed), *left]
            waiting = [name for name, file in self.files.items() if file.faults and name not in changed]
            leaving += await self._take(waiting, again=True)  # what was missing, or in the way, may be mended now
            for names, why in leaving:
                await self._let_go(names, why)
            await self._settle()

    def _changed(self, name: str, mark: Mark, *, first: bool) -> bool:
        file = self.files.setdefault(name, DocumentFile())
        if mark == file.mark:
            file.seen = None
        elif mark != file.seen and not first:
            file.seen = mark
        else:
            file.mark, file.seen = mark, None
            return True
        return False

    async def again(self) -> None:
        """Try again what had mistakes: a plugin may have brought what was missing."""
        async with self._one:
            waiting = [name for name, file in self.files.items() if file.faults]
            for names, why in await self._take(waiting, again=True):
                await self._let_go(names, why)

    # -- files

    async def _take(self, names: Sequence[str], *, again: bool = False) -> list[Leaving]:
        """Register what files say, workflows before triggers of their own; return what is in none of them any more."""
        before = {name: (self.files[name].names, self.files[name].faults) for name in names}
        versions = {about: version for each, _ in before.values() for about, version in each.items()}
        parts = [(name, about, part) for name in names for about, part in await self._read(name)]
        told: dict[str, list[str]] = {name: [] for name in names}
        for name, about, part in sorted(parts, key=lambda each: each[1].kind == "trigger"):
            told[name] += await self._try(name, about, part, versions.get(about, ""))
        leaving: list[Leaving] = []
        for name in names:
            file, (names_before, faults_before) = self.files[name], before[name]
            file.faults = distinct(file.faults)
            if file.faults:  # what is wrong may be about any of those that were there
                file.names = names_before | file.names
            else:
                gone_now = [about for about in names_before if about not in file.names]
                leaving.append((gone_now, f"{name} does not have it any more"))
            if not again or file.faults != faults_before:
                self._tell(name, file, told[name])
        return leaving

    async def _read(self, name: str) -> list[tuple[Named, str]]:
        """Read a file anew; return its documents and what they are."""
        file = self.files[name]
        names, file.names, file.faults, file.text = file.names, {}, [], None
        try:
            file.text = await asyncio.to_thread(read_document, self._folder / name)
        except HostdError as error:
            file.faults = [Violation("", error.reason, error.message, file=name)]
            file.names = {} if names else {_UNKNOWN: ""}
            return []
        return [(await asyncio.to_thread(named, part), part) for part in documents_of(file.text or "")]

    async def _try(self, name: str, about: Named, part: str, version: str) -> list[str]:
        """Register one document of a file; return the lines that tell of it, or note its mistakes."""
        file = self.files[name]
        other = next((other for other in self.files if other != name and self._has(other, about)), None)
        if other is not None:
            line = next((at for at, text in enumerate(part.splitlines(), 1) if text.startswith(about.kind)), 1)
            message = f"{other} has a {about.kind} {about.name}, too: the one that was there first stays"
            file.faults.append(Violation(about.kind, "NAME_INVALID", message, "rename one of them", name, line, 1))
            return []
        file.names[about] = version
        try:
            return await self._register_one(name, file, about, part)
        except HostdError as error:
            file.faults += await self._faults(error, name, part)
            return []

    def _tell(self, name: str, file: DocumentFile, lines: Sequence[str]) -> None:
        if file.faults:
            self._complain(name, file)
        for line in lines:
            self._screen.say(line)

    # -- one document

    def _has(self, name: str, about: Named) -> bool:
        return about != _UNKNOWN and about in self.files[name].names

    async def _register_one(self, name: str, file: DocumentFile, about: Named, part: str) -> list[str]:
        if about.kind == "trigger":
            request = trigger_service_pb2.CreateTriggerRequest(document=part, file=name, replace=True)
            made = await self._client.call(self._client.triggers.CreateTrigger, request)
            file.names[about] = "applied"
            head = f"{clean(name)}  {styled(about.name, bold=True)} starts {made.trigger.target}"
            return [well(head), *self._triggers(await asyncio.to_thread(triggers_of, part))]
        asked = workflow_service_pb2.RegisterWorkflowRequest(document=part, file=name)
        done = await self._client.call(self._client.workflows.RegisterWorkflow, asked)
        old, new = file.names.get(about, ""), done.workflow.active_version
        file.names[Named("workflow", done.workflow.workflow)] = new
        change = f"{old} → {new}" if old and old != new else f"{new} unchanged" if old else new
        lines = [well(f"{clean(name)}  {styled(done.workflow.workflow, bold=True)} {change}")]
        if old != new:
            lines += self._triggers(await asyncio.to_thread(triggers_of, part))
        return lines + [note(f"{clean(name)}: {clean(warning)}") for warning in done.warnings]

    def _triggers(self, found: Sequence[TriggerAbout]) -> list[str]:
        wide = max((len(each.name) for each in found), default=0)
        lines = []
        for each in found:
            head = f"{each.name:<{wide}}  {each.uses}  "
            url = f"POST http://{self._http}/hooks/default/{each.path}" if each.path and self._http else ""
            detail = url or fitted(each.detail, max(10, self._screen.width - 11 - len(head)))  # an address stays whole
            lines.append(" " * 11 + dim(clean(f"{head}{detail}".rstrip())))
        return lines

    async def _faults(self, error: HostdError, name: str, part: str) -> list[Violation]:
        """Return every mistake of a document, which an error need not have room for."""
        if error.reason == "DOCUMENT_INVALID":
            request = workflow_service_pb2.ValidateWorkflowRequest(document=part, file=name)
            answer = await self._client.call(self._client.workflows.ValidateWorkflow, request)
            found = [
                Violation(at.path, at.reason, at.message, at.suggestion, at.file, at.line, at.column)
                for at in answer.violations
            ]
            if found or error.violations:
                return found or list(error.violations)
        fix = "leave `version` out while you write: each save is a version then" * (error.reason == "VERSION_EXISTS")
        return [Violation("", error.reason, error.message, fix, name)]

    def _complain(self, name: str, file: DocumentFile) -> None:
        count = len(file.faults)
        stays = [f"{about.name} {version}" for about, version in file.names.items() if version and about.kind]
        stay = dim(f"  {', '.join(stays)} stays active") if stays else ""
        head = badly(f"{clean(name)}  {count} mistake{'s' if count > 1 else ''}{stay}")
        told = excerpts(file.faults, file.text or "", width=self._screen.width)
        self._screen.say("\n".join([head, *told, ""]))

    # -- what goes

    async def _let_go(self, names: Iterable[Named], why: str) -> None:
        """Deactivate what no document has any more."""
        for about in sorted(names):
            if about == _UNKNOWN or any(self._has(other, about) for other in self.files):
                continue
            await self._withdraw(about, why)

    async def _withdraw(self, about: Named, why: str) -> None:
        try:
            if about.kind == "trigger":
                await self._client.delete_trigger(about.name)
            else:
                await self._client.activate(about.name, "")
        except HostdError as error:
            if not error.reason.endswith("_MISSING"):  # it never was good enough to be registered
                self._screen.say(badly(clean(f"{about.name}: {error.reason}: {error.message}")))
            return
        done = "deleted" if about.kind == "trigger" else "deactivated"
        self._screen.say(gone(f"{clean(why)}  {styled(about.name, bold=True)} {done}"))

    async def _settle(self) -> None:
        """Deactivate what an earlier session left active, once every file says what it is about."""
        if self._settled or any(file.unknown for file in self.files.values()):
            return
        self._settled = True
        active = [each.workflow async for each in self._client.list_workflows() if each.active_version]
        own = [each.name async for each in self._client.list_triggers() if not each.workflow]
        for about in [*(Named("trigger", name) for name in own), *(Named("workflow", name) for name in active)]:
            if not any(self._has(name, about) for name in self.files):
                await self._withdraw(about, "no document has it any more")
