"""Signals on a real core: from triggers and from clients, to the open run of a key, once, through restarts."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.errors.base import HostdError
from hostd.model.messages import Terminate
from hostd.model.records import SignalReceived
from hostd.model.requests import Repeat, RunRef, SignalRequest, StartRequest
from hostd.plugin import EmitOutcome
from hostd.plugin.testing import FakeTriggerContext
from hostd.runtime.ring.intake import Started

DOCUMENT = """
workflow: order
version: {version}
inputs: {{type: object, properties: {{n: {{type: integer}}}}}}
signals:
  PAY:
    type: object
    properties: {{amount: {{type: integer}}, currency: {{type: string, default: EUR}}}}
    required: [amount]
  NOTE: {{}}
triggers:
  t:
    uses: mock.emit
    with: {{count: 0}}
    key: ${{{{ event.data.order }}}}
    signal: {{name: "${{{{ default(event.data.name, 'PAY') }}}}", data: "${{{{ event.data.said }}}}"}}
    {more}
steps:
  wait: {{uses: flow.wait, with: {{duration: 1h}}}}
"""


def document(more: str = "", version: str = "1.0.0") -> str:
    """Return a workflow whose runs wait for an hour, with one trigger that signals them."""
    return DOCUMENT.format(more=more or "input: {n: 1}", version=version)


async def emit(lab: Lab, *events: tuple[str, Any]) -> list[Any]:
    """Emit by hand, as the trigger would."""
    made = [FakeTriggerContext().event(data, id=name) for name, data in events]
    return await lab.core.emission.emit(lab.trigger("order", "t").source, made, None)


def pay(order: Any, amount: Any = 1, **more: Any) -> dict[str, Any]:
    """Return an event's data."""
    return {"order": order, "said": {"amount": amount}, **more}


def heard(lab: Lab, run_id: str) -> list[tuple[str, bytes]]:
    """Return the signals in a run's history, in order."""
    [row] = [row for row in lab.runs() if row.run_id and _text(row) == run_id]
    return [(each.name, each.data) for each in of_kind(lab.records(Started(run_id, row.run)), SignalReceived)]


def _text(row: Any) -> str:
    from hostd.model.ids import text_id

    return text_id(row.run_id)


async def ready(lab: Lab, more: str = "") -> None:
    """Register the workflow and let its trigger live."""
    await lab.register(document(more))
    await lab.core.triggers.start()


async def test_events_of_a_key_go_to_its_open_run_which_the_first_one_starts(lab: Lab) -> None:
    """Within one emission, in the next, and after a restart; each once, in order, with defaults applied."""
    await ready(lab)
    first = await emit(lab, ("e1", pay("A", 1)), ("e2", pay("A", 2)), ("e3", pay("B", 3)), ("e1", pay("A", 1)))
    await lab.restart()
    await lab.core.triggers.start()
    later = await emit(lab, ("e2", pay("A", 2)), ("e4", pay("A", 4)))

    run_a, run_b = first[0].run_ids[0], first[2].run_ids[0]
    signaled, duplicate = EmitOutcome.SIGNALED, EmitOutcome.DUPLICATE
    assert [each.outcome for each in first] == [signaled, signaled, signaled, duplicate]
    assert [each.outcome for each in later] == [duplicate, signaled]
    assert later[1].run_ids == (run_a,) and run_a != run_b and len(lab.runs()) == 2
    assert heard(lab, run_a) == [("PAY", b'{"amount":%d,"currency":"EUR"}' % n) for n in (1, 2, 4)]
    view = await lab.core.front.runs.get("default", RunRef(run_a))
    assert view.signals == {"PAY": 3}
    assert lab.trigger("order", "t").source.row.fired == 4


async def test_without_start_an_event_of_no_open_run_matches_nothing(lab: Lab) -> None:
    """`start: false`: NO_MATCH before there is a run and after it has ended, SIGNALED while it is open."""
    await ready(lab, "start: false")
    before = await emit(lab, ("e1", pay("A")))
    run = await lab.start("order", key="A")
    during = await emit(lab, ("e2", pay("A")))
    await lab.ask(run, Terminate(""))
    after = await emit(lab, ("e3", pay("A")))

    assert [each[0].outcome.value for each in (before, during, after)] == ["NO_MATCH", "SIGNALED", "NO_MATCH"]
    assert during[0].run_ids == (run.run_id,) and len(lab.runs()) == 1
    assert len(heard(lab, run.run_id)) == 1


async def test_a_run_that_has_left_memory_is_loaded_for_its_signal(lab: Lab) -> None:
    """What only waits is not in memory; the event finds it all the same, and starts no second run."""
    await ready(lab)
    [first] = await emit(lab, ("e1", pay("A")))
    residence = lab.core.loop.residence
    for resident in residence.all():
        residence.remove(resident.key)

    [second] = await emit(lab, ("e2", pay("A", 2)))

    assert second.outcome is EmitOutcome.SIGNALED and second.run_ids == first.run_ids
    assert len(heard(lab, first.run_ids[0])) == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"order": "A", "said": {"amount": "much"}}, "SIGNAL_INVALID"),
        ({"order": "A", "said": {}, "name": "CRY"}, "SIGNAL_UNKNOWN"),
        ({"order": "A", "said": {}, "name": 5}, "EXPRESSION_FAILED"),
        ({"order": "A"}, "EXPRESSION_FAILED"),
        ({"order": None, "said": {"amount": 1}}, "KEY_INVALID"),
        ({"order": "", "said": {"amount": 1}}, "KEY_INVALID"),
        ({"order": "x" * 257, "said": {"amount": 1}}, "KEY_INVALID"),
    ],
)
@pytest.mark.parametrize("is_open", [False, True])
async def test_what_cannot_be_said_is_dead_lettered_with_its_event(
    lab: Lab, data: Any, reason: str, is_open: bool
) -> None:
    """No run is started for it, the open one hears nothing, and the trigger goes on."""
    await ready(lab)
    if is_open:
        await lab.start("order", key="A")
    [dead, fine] = await emit(lab, ("e1", data), ("e2", pay("B")))

    [(_, _, letter)] = lab.core.journal.dead_letters("default")
    assert dead.outcome is EmitOutcome.DEAD_LETTERED and fine.outcome is EmitOutcome.SIGNALED
    assert letter.reason == reason and b'"id":"e1"' in letter.body.replace(b" ", b"")
    assert len(lab.runs()) == 1 + is_open


async def test_a_full_run_takes_no_more_and_the_event_is_kept_as_a_dead_letter(lab: Lab) -> None:
    """64 of a name are kept; the 65th is not lost but dead-lettered, another name still gets in."""
    await ready(lab)
    emitted = await emit(lab, *((f"e{n}", pay("A", n)) for n in range(65)), ("note", pay("A", name="NOTE")))

    assert [each.outcome.value for each in emitted[63:]] == ["SIGNALED", "DEAD_LETTERED", "SIGNALED"]
    [(_, _, letter)] = lab.core.journal.dead_letters("default")
    assert letter.reason == "SIGNALS_FULL"


async def test_the_open_runs_own_version_says_what_it_takes(lab: Lab) -> None:
    """A run keeps the signals of the version it began with; the next run has those of the new one."""
    await ready(lab)
    await emit(lab, ("e1", pay("A")))
    await lab.register(document(version="2.0.0").replace("  NOTE: {}\n", "  CRY: {}\n"))
    await lab.until(lambda: lab.trigger("order", "t").source.ready.plan.version == "2.0.0")

    [old, new] = await emit(lab, ("e2", pay("A", name="CRY")), ("e3", pay("B", name="CRY")))

    assert (old.outcome.value, new.outcome.value) == ("DEAD_LETTERED", "SIGNALED")


# -- clients


def repeat(name: str, digest: bytes = b"1") -> Repeat:
    """Return a request id."""
    return Repeat(name, digest)


def said(amount: Any, name: str = "PAY") -> SignalRequest:
    """Return what a client says."""
    import json

    return SignalRequest(name, json.dumps({"amount": amount}).encode(), {"amount": amount})


async def signal(lab: Lab, run: Started, what: SignalRequest, again: Repeat | None = None) -> Any:
    """Send a signal as a client."""
    return await lab.core.front.runs.signal("default", RunRef(run.run_id), what, principal="me", repeat=again)


async def test_a_signal_with_a_request_id_is_received_once(lab: Lab) -> None:
    """Repeated now, after a restart, and from another road into the run; another body under the id is refused."""
    await lab.register(document())
    run = await lab.start("order", key="A")
    first = await signal(lab, run, said(1), repeat("r1"))
    again = await signal(lab, run, said(1), repeat("r1"))
    await lab.restart()
    later = await signal(lab, run, said(1), repeat("r1"))
    with pytest.raises(HostdError, match="another request"):
        await signal(lab, run, said(2), repeat("r1", b"2"))

    assert [each.repeated for each in (first, again, later)] == [False, True, True]
    assert heard(lab, run.run_id) == [("PAY", b'{"amount": 1,"currency":"EUR"}'.replace(b" ", b""))]


async def test_a_final_run_refuses_signals_and_says_so(lab: Lab) -> None:
    """FAILED_PRECONDITION with RUN_FINAL; a signal that was received before the end is still answered."""
    await lab.register(document())
    run = await lab.start("order", key="A")
    await signal(lab, run, said(1), repeat("r1"))
    await lab.ask(run, Terminate(""))

    with pytest.raises(HostdError) as caught:
        await signal(lab, run, said(2))
    assert (caught.value.kind.name, caught.value.reason) == ("STATE", "RUN_FINAL")
    assert (await signal(lab, run, said(1), repeat("r1"))).repeated


@pytest.mark.parametrize(("what", "reason"), [(said("x"), "SIGNAL_INVALID"), (said(1, "CRY"), "SIGNAL_UNKNOWN")])
async def test_a_signal_that_the_workflow_does_not_take_is_refused(lab: Lab, what: SignalRequest, reason: str) -> None:
    """The run goes on as if nothing had been said; the same id may then say the right thing."""
    await lab.register(document())
    run = await lab.start("order", key="A")
    before = lab.records(run)

    with pytest.raises(HostdError) as caught:
        await signal(lab, run, what, repeat("r1"))

    assert caught.value.reason == reason and lab.records(run) == before
    assert not (await signal(lab, run, said(1), repeat("r1", b"2"))).repeated


async def signal_with_start(lab: Lab, what: SignalRequest, again: Repeat | None = None, **more: Any) -> Any:
    """Send a signal with a start."""
    start = StartRequest("order", key="A", repeat=again, **more)
    return await lab.core.front.runs.signal_with_start("default", start, what, principal="me")


async def test_a_signal_with_a_start_starts_once_and_signals_each_time(lab: Lab) -> None:
    """The first starts, the second finds the run, a repeated request id does neither; also after a restart."""
    await lab.register(document())
    first = await signal_with_start(lab, said(1), repeat("r1"))
    second = await signal_with_start(lab, said(2), repeat("r2"))
    await lab.restart()
    again = [await signal_with_start(lab, said(n), repeat(f"r{n}")) for n in (1, 2)]
    third = await signal_with_start(lab, said(3))

    assert {each.run_id for each in (first, second, third, *again)} == {first.run_id}
    assert [each.existing for each in (first, second, *again, third)] == [False, True, True, True, True]
    assert [each.version for each in (first, second, third)] == ["1.0.0"] * 3
    assert [data for _, data in heard(lab, first.run_id)] == [b'{"amount":%d,"currency":"EUR"}' % n for n in (1, 2, 3)]


async def test_a_start_whose_signal_is_refused_starts_nothing(lab: Lab) -> None:
    """Both or neither."""
    await lab.register(document())

    with pytest.raises(HostdError, match="amount"):
        await signal_with_start(lab, said("x"))

    assert lab.runs() == []


async def test_starts_and_signals_with_starts_share_their_request_ids(lab: Lab) -> None:
    """A start's id used for a signal with a start is a conflict, and the other way round the first answer holds."""
    await lab.register(document())
    await lab.start("order", key="A", request_id="r1", digest=b"1")

    with pytest.raises(HostdError) as caught:
        await signal_with_start(lab, said(1), repeat("r1", b"2"))

    assert caught.value.reason == "REQUEST_ID_CONFLICT"
