"""Telling runs something: a signal to an open run, or to the open run of a key, which is started first."""

from __future__ import annotations

from hostd.errors.base import HostdError
from hostd.model.ids import text_id
from hostd.model.messages import Signal
from hostd.model.requests import Repeat, RunRef, SignalRequest, StartRequest
from hostd.model.views import SignaledRun, StartedRun
from hostd.runtime.runs.deliveries import delivery_of
from hostd.runtime.runs.run_verbs import RunVerbs


class RunSignals(RunVerbs):
    """Signals to runs."""

    async def signal(
        self, namespace: str, ref: RunRef, signal: SignalRequest, *, principal: str, repeat: Repeat | None
    ) -> SignaledRun:
        """Tell an open run something. Raises RUN_MISSING, RUN_FINAL, RUN_STATE, SIGNAL_*, REQUEST_ID_CONFLICT."""
        self._rooms.intake.refuse_draining(1)
        first = await self._first_answer(namespace, "signal", repeat)
        if first is not None:
            return SignaledRun(text_id(first), repeated=True)
        row = await self.find(namespace, ref)
        self._refuse_still("signal", row)
        note = self._note(namespace, "signal", repeat, row.run_id)
        message = _message(signal, repeat)
        try:
            received = await self._rooms.loop.ask(row.run, message, principal, note)
        except HostdError as error:
            if error.reason != "RUN_MISSING":
                raise
            received = False  # it ended, or went, just now
        run_id = text_id(row.run_id)
        if not received:
            if await self._first_answer(namespace, "signal", repeat) is None:
                self._refuse_still("signal", await self.find(namespace, RunRef(run_id)))
            return SignaledRun(run_id, repeated=True)
        return SignaledRun(run_id)

    async def signal_with_start(
        self, namespace: str, start: StartRequest, signal: SignalRequest, *, principal: str
    ) -> StartedRun:
        """Tell the open run of a key something, or start it with the signal; both in one append.

        Raises:
            HostdError: WORKFLOW_MISSING, VERSION_MISSING, WORKFLOW_INACTIVE, INPUT_INVALID, SIGNAL_*,
                RUN_CLOSED_EXISTS, RUN_STATE, REQUEST_ID_CONFLICT, INTAKE_FULL, DRAINING, JOURNAL_*.
        """
        prepared = await self._prepare(namespace, start, principal)
        delivery = delivery_of(prepared, _message(signal, start.repeat))
        return await self._started(await self._rooms.deliveries.deliver(delivery))


def _message(signal: SignalRequest, repeat: Repeat | None) -> Signal:
    return Signal(signal.name, signal.data, signal.value, repeat.request_id if repeat is not None else "")
