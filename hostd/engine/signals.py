"""Signals: what somebody outside says to a run. Checked and kept in order of arrival until a step takes them."""

from __future__ import annotations

from typing import Any

from hostd.definition.plan import Plan
from hostd.engine.draft import Draft
from hostd.engine.ending import has_room_for
from hostd.engine.state import KeptSignal, Run
from hostd.errors.base import HostdError, Kind, Violation
from hostd.model.messages import Signal
from hostd.model.payload import EVENT_BYTES_MAX, to_blob, value_size_bytes
from hostd.model.records import SignalReceived
from hostd.values.json_text import dump_json, parse_json

KEPT_MAX, KEPT_PER_NAME_MAX = 1_024, 64
_NAMES_SHOWN = 20


class Refusal(Exception):
    """Leaves a decision that a signal is refused in."""

    def __init__(self, error: HostdError) -> None:
        super().__init__(error.reason)
        self.error = error


def is_new(run: Run, message: Signal) -> bool:
    """Say whether the signal has not been received before; one that says something else is looked at."""
    kept = _kept(run, message.request_id)
    return kept is None or not _same(run.plan, kept, message)


def _same(plan: Plan, kept: KeptSignal, message: Signal) -> bool:
    if kept.name != message.name:
        return False
    try:
        data = _accepted(plan, message)
    except Refusal:
        return False
    if kept.data == to_blob(data)[0]:
        return True
    return isinstance(kept.data, bytes) and bool(parse_json(kept.data) == parse_json(data))


def on_signal(draft: Draft, message: Signal) -> None:
    """Keep a signal. Raises Refusal."""
    if _kept(draft.run, message.request_id) is not None:
        text = f"the request id {message.request_id!r} was used for another signal"
        raise Refusal(HostdError(Kind.EXISTS, "REQUEST_ID_CONFLICT", text))
    receive(draft, message)


def receive(draft: Draft, message: Signal) -> None:
    """Check a signal that was not received before, and keep it. Raises Refusal."""
    run = draft.run
    value = draft.value(_accepted(run.plan, message))
    alike = sum(signal.name == message.name for signal in run.signals)
    if len(run.signals) >= KEPT_MAX or alike >= KEPT_PER_NAME_MAX:
        text = (
            f"{len(run.signals)} signals wait in the run, {alike} of them {message.name}; "
            f"{KEPT_MAX} and {KEPT_PER_NAME_MAX} are kept"
        )
        raise Refusal(HostdError(Kind.EXHAUSTED, "SIGNALS_FULL", text))
    if not has_room_for(run, value_size_bytes(value)):
        text = "the run's history or values are almost as large as they may get; it takes no more signals"
        raise Refusal(HostdError(Kind.EXHAUSTED, "SIGNALS_FULL", text))
    draft.add(SignalReceived(name=message.name, data=value, request_id=message.request_id))


def why_refused(plan: Plan, message: Signal) -> HostdError | None:
    """Return why runs of a plan do not take a signal, None where they do while there is room."""
    try:
        _accepted(plan, message)
    except Refusal as refusal:
        return refusal.error
    return None


def _accepted(plan: Plan, message: Signal) -> bytes:
    """Return the signal's data as JSON text, defaults applied. Raises Refusal."""
    contract: Any = plan.signals.get(message.name)
    if contract is None:
        raise Refusal(_unknown(plan, message.name))
    if len(message.data) > EVENT_BYTES_MAX:
        text = f"the signal has {len(message.data)} bytes; {EVENT_BYTES_MAX} are allowed"
        raise Refusal(HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", text))
    try:
        filled = contract.accept(message.value)
    except HostdError as error:
        text = f"the signal {message.name}: {error.message}"
        faults = tuple(Violation(fault.path, "SIGNAL_INVALID", fault.message) for fault in error.violations)
        raise Refusal(HostdError(Kind.INVALID, "SIGNAL_INVALID", text, violations=faults)) from None
    return message.data if filled is message.value else dump_json(filled)


def _unknown(plan: Plan, name: str) -> HostdError:
    names = sorted(plan.signals)
    shown = ", ".join(names[:_NAMES_SHOWN]) + (" ..." if len(names) > _NAMES_SHOWN else "")
    takes = f"it takes {shown}" if names else "its document has no `signals`"
    version = f" {plan.version}" if plan.version else ""
    text = f"the workflow {plan.workflow}{version} takes no signal {name[:80]!r}; {takes}"
    return HostdError(Kind.STATE, "SIGNAL_UNKNOWN", text)


def _kept(run: Run, request_id: str) -> KeptSignal | None:
    if not request_id:
        return None
    return next((signal for signal in run.signals if signal.request_id == request_id), None)
