"""Dead letters through the socket: listed, shown, emitted again through the trigger as it is now, purged."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from daemon_kit import Kit, refused

from hostd.errors.base import HostdError, Kind
from hostd.v1 import dead_letter_service_pb2 as pb
from hostd.v1 import run_service_pb2 as runs
from hostd.v1 import trigger_service_pb2 as triggers
from hostd.v1.payload_pb2 import Payload

STRICT = (
    "workflow: order\nversion: 1.0.0\ninputs: {type: object, required: [n], properties: {n: {type: integer}}}\n"
    "triggers:\n  hook: {uses: mock.emit, with: {count: 0}}\nsteps:\n  a: {uses: flow.pass}\n"
)
LENIENT = STRICT.replace("1.0.0", "1.1.0").replace("type: integer", "type: [integer, string]")


async def fill(kit: Kit, *values: Any, name: str = "hook", workflow: str = "order") -> list[str]:
    """Fire events; return what became of them."""
    found = []
    for at, value in enumerate(values):
        data = Payload(data=json.dumps(value).encode())
        request = triggers.FireTriggerRequest(workflow=workflow, name=name, data=data, event_id=f"e{at}")
        found.append((await kit.triggers.FireTrigger(request)).outcome)
    return found


async def letters(kit: Kit, **fields: Any) -> list[pb.DeadLetter]:
    """Return a page of letters."""
    answer = await kit.dead_letters.ListDeadLetters(pb.ListDeadLettersRequest(**fields))
    return list(answer.dead_letters)


async def redrive(kit: Kit, limit: int = 0, after: int = 0, **selection: Any) -> pb.RedriveDeadLettersResponse:
    """Redrive a selection."""
    return await kit.dead_letters.RedriveDeadLetters(
        pb.RedriveDeadLettersRequest(selection=pb.DeadLetterSelection(**selection), limit=limit, after=after)
    )


async def count_runs(kit: Kit) -> int:
    """Return how many runs there are."""
    return (await kit.runs.CountRuns(runs.CountRunsRequest())).count


async def test_letters_are_listed_filtered_and_shown(kit: Kit) -> None:
    """Oldest first, in pages, by filter; the event is in the single one only; unknown numbers have their reason."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    assert await fill(kit, {"n": "a"}, {"n": 1}, {"n": "b"}, {}) == [
        "DEAD_LETTERED", "STARTED", "DEAD_LETTERED", "DEAD_LETTERED",
    ]  # fmt: skip
    found = await letters(kit)
    first = await kit.dead_letters.ListDeadLetters(pb.ListDeadLettersRequest(page_size=2))
    second = await kit.dead_letters.ListDeadLetters(
        pb.ListDeadLettersRequest(page_size=2, page_token=first.next_page_token)
    )
    by_event = await letters(kit, filter='event_id in ["e2", "e9"] && trigger == "hook"')
    none = await letters(kit, filter='create_time < "2020-01-01T00:00:00Z"')
    one = await kit.dead_letters.GetDeadLetter(pb.GetDeadLetterRequest(number=found[0].number))

    assert [letter.event_id for letter in found] == ["e0", "e2", "e3"]
    assert {(letter.workflow, letter.trigger, letter.reason) for letter in found} == {
        ("order", "hook", "INPUT_INVALID")
    }
    assert [letter.event_id for letter in (*first.dead_letters, *second.dead_letters)] == ["e0", "e2", "e3"]
    assert second.next_page_token == ""
    assert [letter.event_id for letter in by_event] == ["e2"]
    assert none == []
    assert not found[0].HasField("event")
    assert json.loads(one.event.data)["data"] == {"n": "a"}
    missing = await refused(kit.dead_letters.GetDeadLetter(pb.GetDeadLetterRequest(number=99)))
    unknown = await refused(kit.dead_letters.ListDeadLetters(pb.ListDeadLettersRequest(filter='state == "x"')))
    assert (missing.code, missing.reason) == ("NOT_FOUND", "DEAD_LETTER_MISSING")
    assert (unknown.reason, unknown.metadata["fields"]) == (
        "INVALID_FILTER", "workflow, trigger, reason, event_id, create_time",
    )  # fmt: skip


async def test_a_letter_is_redriven_through_the_trigger_as_it_is_now(kit: Kit) -> None:
    """What the new version takes becomes a run and its letter is gone; what it does not take stays, with the reason."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    await fill(kit, {"n": "a"}, {}, {"n": "b"})
    early = await redrive(kit)
    await kit.register(LENIENT)
    await kit.core.triggers.reconcile()
    later = await redrive(kit)
    again = await redrive(kit)
    left = await letters(kit)
    run = await kit.get(later.results[0].run_ids[0])

    assert [(item.outcome, item.failure.reason) for item in early.results] == [("DEAD_LETTERED", "INPUT_INVALID")] * 3
    assert [(item.event_id, item.outcome) for item in later.results] == [
        ("e0", "STARTED"), ("e1", "DEAD_LETTERED"), ("e2", "STARTED"),
    ]  # fmt: skip
    assert (run.version, json.loads(run.input.data), run.principal) == ("1.1.0", {"n": "a"}, "owner")
    assert [(item.event_id, item.outcome) for item in again.results] == [("e1", "DEAD_LETTERED")]
    assert [letter.event_id for letter in left] == ["e1"]
    assert await count_runs(kit) == 2


async def test_the_letter_goes_in_the_append_of_its_run(kit: Kit) -> None:
    """Where that append fails both are as before; redriven twice at once it is one run."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    await fill(kit, {"n": "a"})
    await kit.register(LENIENT)
    await kit.core.triggers.reconcile()
    batches = []
    append = kit.core.journal.append

    def refuse(batch: Any, done: Any, *, alone: bool = False) -> Any:
        batches.append(batch)
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FULL", "full", retry_after_s=1.0)

    kit.core.journal.append = refuse  # type: ignore[method-assign]
    failed = await refused(redrive(kit))
    kit.core.journal.append = append  # type: ignore[method-assign]
    kept = await letters(kit)
    both = await asyncio.gather(redrive(kit), redrive(kit))

    assert failed.reason == "JOURNAL_FULL"
    assert [(len(batch.new_runs), batch.dead_letters_met) for batch in batches[:1]] == [(1, [kept[0].number])]
    assert sorted(len(answer.results) for answer in both) == [0, 1]
    assert await count_runs(kit) == 1
    assert await letters(kit) == []


async def test_a_redrive_is_bounded_and_goes_on(kit: Kit) -> None:
    """A limit answers where to go on; numbers and a filter narrow it; a trigger that is gone keeps its letters."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    await fill(kit, {}, {}, {})
    numbers = [letter.number for letter in await letters(kit)]
    part = await redrive(kit, limit=2)
    rest = await redrive(kit, limit=2, after=part.more_after)
    named = await redrive(kit, numbers=[numbers[2], 77])
    filtered = await redrive(kit, filter='event_id == "e1"')
    await kit.register(STRICT.replace("1.0.0", "2.0.0").replace("hook", "other"))
    await kit.core.triggers.reconcile()
    gone = await redrive(kit, numbers=numbers[:1])
    unsaid = await refused(kit.dead_letters.RedriveDeadLetters(pb.RedriveDeadLettersRequest()))

    assert [item.number for item in part.results] == numbers[:2]
    assert part.more_after == numbers[1]
    assert ([item.number for item in rest.results], rest.more_after) == (numbers[2:], 0)
    assert [item.number for item in named.results] == numbers[2:]
    assert [item.number for item in filtered.results] == numbers[1:2]
    assert [(item.outcome, item.failure.reason) for item in gone.results] == [("", "TRIGGER_MISSING")]
    assert unsaid.reason == "ARGUMENT_INVALID"


async def test_letters_are_purged_by_selection(kit: Kit) -> None:
    """Those that fit go, and are counted; an empty selection means all, a missing one nothing."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    await fill(kit, {}, {}, {})

    async def purge(**selection: Any) -> int:
        request = pb.PurgeDeadLettersRequest(selection=pb.DeadLetterSelection(**selection))
        return (await kit.dead_letters.PurgeDeadLetters(request)).purged

    unsaid = await refused(kit.dead_letters.PurgeDeadLetters(pb.PurgeDeadLettersRequest()))
    assert unsaid.reason == "ARGUMENT_INVALID"
    assert await purge(filter='event_id == "e1"') == 1
    assert [letter.event_id for letter in await letters(kit)] == ["e0", "e2"]
    assert await purge(numbers=[1, 99]) == 1
    assert await purge() == 1
    assert await purge() == 0


@pytest.mark.parametrize("own", [True, False])
async def test_a_letter_of_a_trigger_of_its_own_is_redriven_too(kit: Kit, own: bool) -> None:
    """Its workflow is empty, and it goes the same way."""
    await kit.register(STRICT)
    if own:
        document = "trigger: mine\ntarget: order@active\nuses: mock.emit\nwith: {count: 0}\n"
        await kit.triggers.CreateTrigger(triggers.CreateTriggerRequest(document=document))
    await kit.core.triggers.reconcile()
    where = {"name": "mine", "workflow": ""} if own else {}
    await fill(kit, {"n": "a"}, **where)
    await kit.register(LENIENT)
    await kit.core.triggers.reconcile()
    done = await redrive(kit)
    assert [item.outcome for item in done.results] == ["STARTED"]
    assert (await kit.get(done.results[0].run_ids[0])).trigger == ("/mine" if own else "hook")


async def test_repeated_requests_give_the_first_answer(kit: Kit) -> None:
    """Redriven and purged once a request id, whatever became a letter since; another selection is refused."""
    await kit.register(STRICT)
    await kit.core.triggers.reconcile()
    await fill(kit, {"n": "a"}, {"n": "b"})
    await kit.register(LENIENT)
    await kit.core.triggers.reconcile()
    everything = pb.DeadLetterSelection()
    request = pb.RedriveDeadLettersRequest(selection=everything, limit=1, request_id="r1")
    first, beside = await asyncio.gather(*(kit.dead_letters.RedriveDeadLetters(request) for _ in range(2)))
    again = await kit.dead_letters.RedriveDeadLetters(request)
    other = pb.RedriveDeadLettersRequest(selection=everything, limit=2, request_id="r1")
    conflict = await refused(kit.dead_letters.RedriveDeadLetters(other))
    purge = pb.PurgeDeadLettersRequest(selection=everything, request_id="r1")
    purged = [(await kit.dead_letters.PurgeDeadLetters(purge)).purged for _ in range(2)]

    assert [result.outcome for result in first.results] == ["STARTED"]
    assert first == beside == again
    assert conflict.reason == "REQUEST_ID_CONFLICT"
    assert purged == [1, 1]
    assert await count_runs(kit) == 1
    assert await letters(kit) == []
