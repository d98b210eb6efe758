"""What an event would do, and why it would not; nothing is started or written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

import msgspec

from hostd.aio import Clock
from hostd.definition.compile import compile_document
from hostd.definition.document import load_documents
from hostd.definition.plan import TriggerPlan
from hostd.definition.ports import Catalogue
from hostd.definition.trigger_document import compile_trigger_document, is_trigger_document
from hostd.engine.signals import why_refused
from hostd.engine.steps import truth
from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.journal.port import Journal
from hostd.model.ids import text_id
from hostd.model.messages import Signal
from hostd.model.payload import EVENT_BYTES_MAX
from hostd.model.requests import TrialEvent
from hostd.model.views import TrialView
from hostd.plugin import Event
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.starts import Ready, StartMaker
from hostd.runtime.triggers.by_hand import ByHand
from hostd.runtime.triggers.event_scope import EventScope, input_of, key_of, signal_of
from hostd.runtime.triggers.overlap_trials import OUTCOMES, InTheWay, OverlapTrials
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.triggers.triggers import Triggers
from hostd.runtime.workflows.workflows import Workflows
from hostd.values.json_text import dump_json


class _Subject(NamedTuple):
    """What is tried. `seen`: scope of its dedup keys; empty for what is not configured."""

    plan: TriggerPlan
    ready: Ready | None
    scope_name: str
    run_trigger: str  # as its runs are told
    seen: str = ""
    missing: HostdError | None = None


class TriggerTrials:
    """Evaluates what a trigger says of an event."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        workflows: Workflows,
        starts: StartMaker,
        catalogue: Callable[[], Catalogue],
        journal: Journal,
        readers: Readers,
        clock: Clock,
        random: Random,
        by_hand: ByHand,
    ) -> None:
        self._by_hand = by_hand
        self._triggers = triggers
        self._workflows = workflows
        self._starts = starts
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._random = random
        self._overlaps = OverlapTrials(catalogue=catalogue, journal=journal, readers=readers, clock=clock)

    async def test(self, name: Name, document: bytes, given: TrialEvent) -> TrialView:
        """Return what an event would do.

        Args:
            document: looked into instead of what is configured; the name's last part says which trigger.

        Raises:
            HostdError: TRIGGER_MISSING, ARGUMENT_INVALID. Mistakes of the document are answers.
        """
        if not document:
            await self._triggers.settled()
        try:
            subject = await self._of_document(name, document) if document else self._configured(name)
        except HostdError as error:
            if error.reason != "DOCUMENT_INVALID":
                raise
            return TrialView(violations=error.violations or (Violation("", error.reason, error.message),))
        return await self._try(name[0], subject, given)

    # -- what is tried

    def _configured(self, name: Name) -> _Subject:
        live = self._triggers.get(name)
        source = live.source
        ready = source.ready if live.missing is None else None
        return _Subject(source.plan, ready, source.scope_name, source.run_trigger, source.scope_name, live.missing)

    async def _of_document(self, name: Name, text: bytes) -> _Subject:
        compiled: Any = await self._workflows.compiling.compiled(lambda loaded: _compile(text, loaded))
        if isinstance(compiled, Ready):
            plan = _named(compiled.plan.triggers, name[2])
            return _Subject(plan, compiled, f"{compiled.plan.workflow}/{plan.name}", plan.name)
        scope_name = f"/{compiled.plan.name}"
        if name[2] not in ("", compiled.plan.name):
            raise _no_such(name[2])
        try:
            ready = await self._workflows.plans.resolve(name[0], compiled.workflow, compiled.version)
        except HostdError as error:
            return _Subject(compiled.plan, None, scope_name, scope_name, missing=error)
        return _Subject(compiled.plan, ready, scope_name, scope_name)

    # -- trying

    async def _try(self, namespace: str, subject: _Subject, given: TrialEvent) -> TrialView:
        if not given.has_data:
            at_ms = given.time_ms or self._clock.wall_ms()
            usual = await self._by_hand.data(subject.plan, subject.scope_name, at_ms)
            given = msgspec.structs.replace(given, data=usual)
        event = self._event(namespace, subject, given)
        envelope = event.to_json()
        body = dump_json(envelope)
        now_ms = self._clock.wall_ms()
        scope = EventScope(envelope, now_ms=now_ms, trigger=subject.scope_name, event_id=event.id)
        found = _Found()
        if len(body) > EVENT_BYTES_MAX:
            found.wrong("", "PAYLOAD_TOO_LARGE", f"the event has {len(body)} bytes; {EVENT_BYTES_MAX} are allowed")
        if subject.missing is not None:
            found.wrong("target", subject.missing.reason, subject.missing.message)
        condition = subject.plan.condition
        matches = found.value(
            "if", lambda: condition is None or truth(condition.evaluate(scope), "`if` of the trigger")
        )
        key = found.value("key", lambda: key_of(subject.plan, scope))
        signal = found.value("signal", lambda: signal_of(subject.plan, scope, "trial"))
        data = found.value("input", lambda: dump_json(input_of(subject.plan, scope))) if _starts(subject.plan) else None
        open_run = ""
        if subject.ready is not None:
            open_run = await self._open_run(namespace, subject.ready, key or "")
            self._check(namespace, subject.ready, found, data=data, key=key or "", signal=signal, open_run=open_run)
        seen = await self._seen(namespace, subject, given)
        outcome = _outcome(found, subject.plan, matches=matches, seen=seen is not None, open_run=open_run)
        in_the_way = await self._in_the_way(namespace, subject, found, outcome, signal)
        if in_the_way is not None:
            outcome = in_the_way.outcome
        plan = subject.ready.plan if subject.ready is not None else None
        return TrialView(
            outcome=outcome,
            workflow=plan.workflow if plan is not None else "",
            version=plan.version if plan is not None else "",
            event=body,
            matches=matches,
            input=data,
            key=key or "",
            signal=signal.name if signal is not None else "",
            signal_data=signal.data if signal is not None else None,
            run_ids=seen or (in_the_way.run_ids if in_the_way else (open_run,) if outcome == "SIGNALED" else ()),
            violations=tuple(found.violations),
        )

    async def _in_the_way(
        self, namespace: str, subject: _Subject, found: _Found, outcome: str, signal: Signal | None
    ) -> InTheWay | None:
        """Return what the trigger's option `overlap` does while runs of it are open, None where nothing."""
        if subject.ready is None or signal is not None or outcome not in ("STARTED", "DEAD_LETTERED"):
            return None
        overlap = self._overlaps.of(subject.plan, subject.scope_name)
        place = (namespace, subject.ready.plan.workflow, subject.run_trigger)
        in_the_way = await self._overlaps.look(place, overlap) if overlap in OUTCOMES else None
        if in_the_way is None or not found.only_open_run(in_the_way.holds_back):
            return None
        return in_the_way

    async def _open_run(self, namespace: str, ready: Ready, key: str) -> str:
        """Return the id of the open run of a key, empty for none."""
        if not key:
            return ""
        workflow = ready.plan.workflow
        run = await self._readers.call(lambda: self._journal.newest_run(namespace, workflow, key, live=True))
        return text_id(run.run_id) if run is not None else ""

    def _check(
        self,
        namespace: str,
        ready: Ready,
        found: _Found,
        *,
        data: bytes | None,
        key: str,
        signal: Signal | None,
        open_run: str,
    ) -> None:
        """Find what would refuse the run or the signal: the workflow's schemas, or an open run of the key."""
        refusal = why_refused(ready.plan, signal) if signal is not None else None
        if refusal is not None:
            found.wrong("signal", refusal.reason, refusal.message)
        if data is not None:
            found.value(
                "input",
                lambda: self._starts.prepare(
                    ready, namespace=namespace, input_json=data, now_ms=0, key=key, placement_text="trial"
                ),
            )
        if open_run and signal is None:
            found.wrong("key", "RUN_OPEN", f"the open run {open_run} of {ready.plan.workflow} has the key {key!r}")

    async def _seen(self, namespace: str, subject: _Subject, given: TrialEvent) -> tuple[str, ...] | None:
        if not given.event_id or not subject.seen:
            return None
        seen = await self._readers.call(self._journal.dedup_seen, namespace, subject.seen, [given.event_id])
        return seen.get(given.event_id)

    def _event(self, namespace: str, subject: _Subject, given: TrialEvent) -> Event:
        at_ms = given.time_ms or self._clock.wall_ms()
        try:
            return Event(
                id=given.event_id or f"{self._random.getrandbits(128):032x}",
                source=given.source or f"/{namespace}/{subject.scope_name}",
                type=given.type or subject.plan.uses,
                time=datetime.fromtimestamp(at_ms / 1000, UTC),
                data=given.data,
                subject=given.subject,
                extensions=given.extensions,
            )
        except (ValueError, OverflowError, OSError) as error:
            raise invalid("ARGUMENT_INVALID", f"event: {error}") from None


class _Found:
    """What went wrong, part by part."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def wrong(self, path: str, reason: str, message: str) -> None:
        """Note one fault."""
        self.violations.append(Violation(path, reason, message))

    def refused(self, path: str, error: HostdError) -> None:
        """Note an error, with the places it names."""
        if not error.violations:
            self.wrong(path, error.reason, error.message)
        for fault in error.violations:
            joint = "" if fault.path.startswith("[") or not fault.path else "."
            self.wrong(f"{path}{joint}{fault.path}", fault.reason, fault.message)

    def only_open_run(self, forget: bool) -> bool:
        """Say whether nothing is wrong but, at most, that a run of the key is open; where asked to, forget that."""
        left = [violation for violation in self.violations if not (forget and violation.reason == "RUN_OPEN")]
        if left:
            return False
        self.violations = left
        return True

    def value(self, path: str, make: Callable[[], Any]) -> Any:
        """Return a part's value; None after noting why there is none."""
        try:
            return make()
        except HostdError as error:
            self.refused(path, error)
            return None


def _starts(plan: TriggerPlan) -> bool:
    """Say whether an event may start a run."""
    return plan.signal is None or plan.start


def _outcome(found: _Found, plan: TriggerPlan, *, matches: bool | None, seen: bool, open_run: str) -> str:
    """Return what emission would answer: a known event first, then `if`, then whatever is wrong."""
    if seen:
        return "DUPLICATE"
    if matches is False:
        return "NO_MATCH"
    if found.violations:
        return "DEAD_LETTERED"
    if plan.signal is None:
        return "STARTED"
    return "SIGNALED" if open_run or plan.start else "NO_MATCH"


def _named(triggers: tuple[TriggerPlan, ...], name: str) -> TriggerPlan:
    if not name and len(triggers) == 1:
        return triggers[0]
    if not name:
        raise invalid("ARGUMENT_INVALID", f"name: the document has {len(triggers)} triggers; name one")
    found = next((plan for plan in triggers if plan.name == name), None)
    if found is None:
        raise _no_such(name)
    return found


def _no_such(name: str) -> HostdError:
    return HostdError(Kind.MISSING, "TRIGGER_MISSING", f"the document has no trigger {name!r}")


def _compile(text: bytes, catalogue: Catalogue) -> Any:
    documents = load_documents(text)
    if len(documents) != 1:
        raise invalid("DOCUMENT_INVALID", f"the text holds {len(documents)} documents; send one")
    if is_trigger_document(documents[0].root):
        return compile_trigger_document(documents[0], catalogue=catalogue)
    return Ready(compile_document(documents[0], catalogue=catalogue))
