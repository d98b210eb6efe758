"""A host inside a program: versions of workflows, dead letters and secrets, with a loop and without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from loop_guard import nothing_blocks_the_loop as nothing_blocks_the_loop

from hostd.embedding import Host, HostdError, Workflow, action, letter_calls
from hostd.embedding.uses import flow

NOTE = """
workflow: note
version: VERSION
inputs: {type: object, properties: {n: {type: TYPE}}}
triggers:
  hook: {uses: mock.emit, with: {count: 0}, input: "${{ event.data }}"}
steps:
  it: {uses: flow.pass, with: {output: "VERSION"}}
output: ${{ steps.it.output }}
"""


@action("shop.length")
async def length(token: str) -> int:
    """Return how long a token is."""
    return len(token)


def note(version: str, kind: str = "integer") -> str:
    """Return a document whose input has `n` of a kind."""
    return NOTE.replace("VERSION", version).replace("TYPE", kind)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host on a folder."""
    async with Host.open(tmp_path / "data") as opened:
        yield opened


async def test_versions_are_listed_and_one_is_used(host: Host) -> None:
    """The newest first; another is made the one that starts use, if the one expected is; what is in use stays."""
    await host.register(note("1.0.0"))
    await host.register(note("2.0.0"), activate=False)
    assert [(view.version, view.active) for view in await host.versions("note")] == [("2.0.0", False), ("1.0.0", True)]
    assert await host.execute("note") == "1.0.0"

    with pytest.raises(HostdError, match="ACTIVE_CHANGED"):
        await host.activate("note", "2.0.0", expected="1.5.0")
    assert (await host.activate("note", "2.0.0", expected="1.0.0")).active == "2.0.0"
    assert await host.execute("note") == "2.0.0"
    with pytest.raises(HostdError, match="VERSION_MISSING"):
        await host.activate("note", "3.0.0")
    with pytest.raises(HostdError, match="VERSION_IN_USE"):
        await host.delete_workflow("note", "2.0.0")

    assert (await host.activate("note", "")).active == ""
    with pytest.raises(HostdError, match="WORKFLOW_INACTIVE"):
        await host.start("note")
    await host.delete_workflow("note")
    with pytest.raises(HostdError, match="WORKFLOW_MISSING"):
        await host.versions("note")


async def test_a_builder_that_was_deleted_is_registered_again(host: Host) -> None:
    """By the next start of it."""
    wf = Workflow("built")
    wf.output(wf.step("it", flow.pass_(output="here")).output)
    assert await host.execute(wf) == "here"
    await host.activate("built", "")
    await host.delete_workflow("built")
    assert await host.execute(wf) == "here"


async def test_dead_letters_are_listed_redriven_and_purged(host: Host) -> None:
    """With the event; what fits now becomes a run, what does not says why and stays until it is purged."""
    await host.register(note("1.0.0"))
    for n in ("one", "two", [3]):
        assert (await host.fire("note", "hook", {"n": n})).outcome == "DEAD_LETTERED"
    letters = await host.dead_letters()
    assert {letter.reason for letter in letters} == {"INPUT_INVALID"}
    assert [json.loads(letter.event)["data"]["n"] for letter in letters] == ["one", "two", [3]]
    assert len(await host.dead_letters('workflow == "note"', limit=2)) == 2
    assert await host.dead_letters('workflow == "other"') == []
    with pytest.raises(HostdError, match="INVALID_FILTER"):
        await host.dead_letters("n == 1")

    await host.register(note("2.0.0", "string"))
    first, *others = letters
    (done,) = await host.redrive_dead_letters([first.number])
    assert (done.outcome, done.reason) == ("STARTED", "")
    assert await host.result(done.run_ids[0]) == "2.0.0"
    again = await host.redrive_dead_letters()
    assert [(view.number, bool(view.run_ids), view.reason) for view in again] == [
        (others[0].number, True, ""),
        (others[1].number, False, "INPUT_INVALID"),
    ]
    assert [letter.number for letter in await host.dead_letters()] == [others[1].number]

    with pytest.raises(HostdError, match="begin with 1"):
        await host.purge_dead_letters([0])
    assert await host.purge_dead_letters(filter='workflow == "other"') == 0
    assert await host.purge_dead_letters([others[1].number]) == 1
    assert await host.dead_letters() == []


async def test_secrets_are_set_used_and_deleted(host: Host) -> None:
    """A step reads what was set; nothing gives the value back, not even a refusal."""
    host.use(length)
    wf = Workflow("reads")
    wf.output(wf.step("it", length.step(token=wf.secrets.bank_token)).output)
    assert (await host.set_secret("bank_token", "not-a-real-one")).created
    done = await host.set_secret("bank_token", b"not-a-real-one-either")
    assert not done.created
    assert [(view.name, view.writable) for view in await host.secrets()] == [("bank_token", True)]
    assert "real" not in repr((done, await host.secrets()))
    assert await host.execute(wf) == len("not-a-real-one-either")
    for name, value in (("not-a-real-one", "x"), ("bank_token", ""), ("bank_token", b"\xff real"), ("a", "x" * 70_000)):
        with pytest.raises(HostdError, match="ARGUMENT_INVALID") as caught:
            await host.set_secret(name, value)
        assert "real" not in str(caught.value)

    await host.delete_secret("bank_token")
    assert await host.secrets() == []
    with pytest.raises(HostdError, match="SECRET_MISSING"):
        await host.delete_secret("bank_token")


async def test_a_request_that_is_repeated_is_answered_as_the_first_was(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is done twice, whatever happened since; the same id with something else is a conflict."""
    await host.register(note("1.0.0"))
    await host.register(note("2.0.0", "string"), activate=False)
    for n in ("one", "two", "three"):
        await host.fire("note", "hook", {"n": n})

    await host.activate("note", "2.0.0", request_id="a-1")
    await host.activate("note", "1.0.0")
    await host.activate("note", "2.0.0", request_id="a-1")
    assert await host.execute("note") == "1.0.0", "the second was a repetition"
    await host.activate("note", "2.0.0")

    monkeypatch.setattr(letter_calls, "LETTERS_MAX", 2)  # two pages
    first = await host.redrive_dead_letters(request_id="r-1")
    assert [view.outcome for view in first] == ["STARTED"] * 3
    assert await host.redrive_dead_letters(request_id="r-1") == first
    assert await host.count_runs() == 4
    await host.fire("note", "hook", {"n": 4})
    assert await host.purge_dead_letters(request_id="p-1") == 1
    await host.fire("note", "hook", {"n": 5})
    assert await host.purge_dead_letters(request_id="p-1") == 1
    assert len(await host.dead_letters()) == 1

    for _ in range(2):
        await host.pause_trigger("note", "hook", request_id="t-1")
        await host.resume_trigger("note", "hook", request_id="t-2")
        assert (await host.set_secret("token", "not-a-real-one", request_id="s-1")).created
        await host.delete_secret("token", request_id="s-2")
        await host.delete_workflow("note", "1.0.0", request_id="d-1")
    for conflict in (
        host.activate("note", "", request_id="a-1"),
        host.redrive_dead_letters([1], request_id="r-1"),
        host.purge_dead_letters([1], request_id="p-1"),
        host.pause_trigger("note", "hook", "why", request_id="t-1"),
        host.set_secret("token", "another", request_id="s-1"),
        host.delete_secret("other", request_id="s-2"),
        host.delete_workflow("note", "2.0.0", request_id="d-1"),
    ):
        with pytest.raises(HostdError, match="REQUEST_ID_CONFLICT"):
            await conflict


async def test_a_host_in_memory_keeps_no_secrets() -> None:
    """There is no folder to keep them in."""
    async with Host.open() as host:
        with pytest.raises(HostdError, match="SECRETS_READ_ONLY"):
            await host.set_secret("bank_token", "not-a-real-one")


def test_code_without_a_loop_does_the_same(tmp_path: Path) -> None:
    """Through the blocking host."""
    with Host.blocking(tmp_path) as host:
        host.register(note("1.0.0"))
        host.register(note("2.0.0", "string"), activate=False)
        host.fire("note", "hook", {"n": "one"})
        (letter,) = host.dead_letters()
        assert host.activate("note", "2.0.0").active == host.versions("note")[0].version == "2.0.0"
        assert [view.number for view in host.redrive_dead_letters([letter.number])] == [letter.number]
        assert host.purge_dead_letters() == 0
        assert host.set_secret("bank_token", "not-a-real-one").created
        assert [view.name for view in host.secrets()] == ["bank_token"]
        host.delete_secret("bank_token")
        host.activate("note", "")
        host.delete_workflow("note")
        assert host.workflows() == []
