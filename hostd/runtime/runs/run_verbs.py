"""Starting and steering runs; answers come once they are durable, and the same request id gives the first answer."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import RunRow
from hostd.model.ids import text_id
from hostd.model.messages import Cancel, Message, Pause, Resume, Terminate
from hostd.model.requests import Repeat, RunRef, StartRequest
from hostd.model.states import RunState, run_is_final
from hostd.model.views import RunView, StartedRun
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.intake import Started
from hostd.runtime.ring.loading import PASSING
from hostd.runtime.ring.repeats import Note, first_answer, note_of
from hostd.runtime.ring.starts import Prepared
from hostd.runtime.ring.turn import Turn
from hostd.runtime.runs.run_reads import RunReads, run_held

_AS_WANTED = {
    "cancel": (RunState.CANCELING,),
    "terminate": (),
    "pause": (RunState.PAUSED,),
    "resume": (),
}
"""States in which a verb has nothing to do and says so by success."""

_WHY_NOT = {
    "cancel": "its outcome is decided already and handlers run; terminate ends it at once",
    "terminate": "it cannot be terminated now",
    "pause": "it is stopping, and what stops cannot be paused",
    "resume": "it is not paused",
}


class RunVerbs(RunReads):
    """Steering runs."""

    # -- starting

    async def start(
        self, namespace: str, starts: Sequence[StartRequest], *, principal: str
    ) -> list[StartedRun | HostdError]:
        """Start runs; see the port. One turn takes them all."""
        prepared: list[Prepared | HostdError] = []
        for start in starts:
            try:
                prepared.append(await self._prepare(namespace, start, principal))
            except HostdError as error:
                prepared.append(error)
        good = [each for each in prepared if isinstance(each, Prepared)]
        results = iter(await self._rooms.intake.start(good) if good else ())
        answers: list[StartedRun | HostdError] = []
        for each in prepared:
            result = next(results) if isinstance(each, Prepared) else each
            answers.append(await self._started(result) if isinstance(result, Started) else result)
        return answers

    async def _prepare(self, namespace: str, start: StartRequest, principal: str) -> Prepared:
        rooms = self._rooms
        ready = await rooms.workflows.plans.resolve(namespace, start.workflow, start.version)
        repeat = start.repeat
        return rooms.starts.prepare(
            ready,
            namespace=namespace,
            input_json=start.input,
            input_value=start.value if start.input else {},
            now_ms=rooms.clock.wall_ms(),
            key=start.key,
            request_id=repeat.request_id if repeat is not None else "",
            digest=repeat.digest if repeat is not None else b"",
            labels=start.labels,
            trace=start.trace,
            on_open=start.on_open,
            on_closed=start.on_closed,
            principal=principal,
        )

    async def _started(self, result: Started) -> StartedRun:
        version = result.version
        if not version:  # a run that was there, known by its row only
            row = await self._read(self._journal.run_row, result.key)
            version = row.version if row is not None else ""
        return StartedRun(result.run_id, version, result.existing)

    async def wait_end(self, namespace: str, run_id: str) -> RunView:
        """Return a run once it is final. Raises RUN_MISSING, RUN_STATE once it is held, DRAINING."""
        ref = RunRef(run_id)
        row = await self.find(namespace, ref)
        hub = self._rooms.hub
        end = hub.end_of(row.run)  # before looking again: an end in between is not missed
        try:
            row = await self.find(namespace, ref)
            if not run_is_final(row.state) and row.state != RunState.HELD:
                await end
                row = await self.find(namespace, ref)
        finally:
            hub.forget_end(row.run, end)
        if row.state == RunState.HELD:
            raise run_held(row)
        return await self.get(namespace, ref)

    # -- steering

    async def cancel(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """Stop a run in good order. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        message = Cancel(reason, self._rooms.cancel_grace_ms())
        return await self._steer("cancel", namespace, ref, message, principal=principal, repeat=repeat)

    async def terminate(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """End a run at once. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        return await self._steer("terminate", namespace, ref, Terminate(reason), principal=principal, repeat=repeat)

    async def pause(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """Let nothing new start. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        return await self._steer("pause", namespace, ref, Pause(reason), principal=principal, repeat=repeat)

    async def resume(self, namespace: str, ref: RunRef, *, principal: str, repeat: Repeat | None) -> RunView:
        """Let a paused run go on, and a held one if it can be read now. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        row = await self.find(namespace, ref)
        if row.state == RunState.HELD and await self._first_answer(namespace, "resume", repeat) is None:
            named = RunRef(text_id(row.run_id))
            await self._release(namespace, row, repeat)
            if (await self.find(namespace, named)).state != RunState.PAUSED:
                return await self.get(namespace, named)
        return await self._steer("resume", namespace, ref, Resume(), principal=principal, repeat=repeat)

    async def _release(self, namespace: str, row: RunRow, repeat: Repeat | None) -> None:
        """Try a held run again. Raises RUN_STATE with why it is still held."""
        write = self._note(namespace, "resume", repeat, row.run_id)

        def note(turn: Turn, state: int) -> None:
            if write is not None and state != RunState.PAUSED:  # a paused one has still to be resumed
                write(turn)

        try:
            await self._rooms.held.try_again(row.run, note)
        except HostdError as error:
            if error.kind in PASSING:
                raise
            raise run_held(row, error) from None

    async def _steer(
        self, verb: str, namespace: str, ref: RunRef, message: Message, *, principal: str, repeat: Repeat | None
    ) -> RunView:
        first = await self._first_answer(namespace, verb, repeat)
        if first is not None:
            return await self.get(namespace, RunRef(text_id(first)))
        row = await self.find(namespace, ref)
        self._refuse_still(verb, row)
        note = self._note(namespace, verb, repeat, row.run_id)
        try:
            changed = await self._rooms.loop.ask(row.run, message, principal, note)
        except HostdError as error:
            if error.reason != "RUN_MISSING":
                raise
            changed = False  # it ended, or went, just now
        named = RunRef(text_id(row.run_id))
        if not changed:
            now = await self.find(namespace, named)
            self._refuse_still(verb, now)
            if now.state not in _AS_WANTED[verb]:
                raise _wrong_state(now, _WHY_NOT[verb])
        return await self.get(namespace, named)

    def _refuse_still(self, verb: str, row: RunRow) -> None:
        """Raise for a run that nothing moves any more."""
        if run_is_final(row.state):
            message = f"the run {text_id(row.run_id)} has ended as {RunState(row.state).name}"
            raise HostdError(Kind.STATE, "RUN_FINAL", message, details=_facts(row))
        if row.state == RunState.HELD:
            raise run_held(row)

    async def delete(self, namespace: str, ref: RunRef, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a finished run with all that is its. Raises RUN_MISSING, RUN_NOT_FINAL."""
        if await self._first_answer(namespace, "delete", repeat) is not None:
            return
        row = await self.find(namespace, ref)
        if not run_is_final(row.state) or row.owes:
            message = f"the run {text_id(row.run_id)} is {RunState(row.state).name}; cancel or terminate it first"
            raise HostdError(Kind.STATE, "RUN_NOT_FINAL", message, details=_facts(row))
        note = self._note(namespace, "delete", repeat, row.run_id)
        note = audited(namespace, principal, "run.delete", text_id(row.run_id), note, workflow=row.workflow)

        def fill(turn: Turn) -> None:
            turn.batch.run_deletes.append(row.run)
            note(turn)
            turn.when_durable.append(lambda appended: self._rooms.hub.gone(row, appended))

        await self._rooms.loop.write(fill)
        files = self._rooms.log_files
        if files is not None:
            await self._read(files.delete, text_id(row.run_id))

    # -- request ids

    async def _first_answer(self, namespace: str, verb: str, repeat: Repeat | None) -> bytes | None:
        """Return the stored run id that the first request with this id was about. Raises REQUEST_ID_CONFLICT."""
        if repeat is None:
            return None
        return await first_answer(self._rooms.journal, self._rooms.readers, namespace, f"run.{verb}", repeat)

    def _note(self, namespace: str, verb: str, repeat: Repeat | None, reference: bytes) -> Note | None:
        return None if repeat is None else note_of(namespace, f"run.{verb}", repeat, reference)


def _wrong_state(row: RunRow, why: str) -> HostdError:
    message = f"the run {text_id(row.run_id)} is {RunState(row.state).name}: {why}"
    return HostdError(Kind.STATE, "RUN_STATE", message, details=_facts(row))


def _facts(row: RunRow) -> dict[str, str]:
    return {"run_id": text_id(row.run_id), "state": RunState(row.state).name}
