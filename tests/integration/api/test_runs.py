"""Starting, reading and steering runs through the socket of a real host on SQLite."""

import asyncio
import json
from pathlib import Path

import pytest
from daemon_kit import ECHO, Kit, ref, refused, running, spec, state_name
from google.protobuf import struct_pb2

from hostd.errors.base import HostdError, Kind
from hostd.v1 import payload_pb2, run_pb2
from hostd.v1 import run_service_pb2 as wire
from hostd.v1.payload_pb2 import Payload


async def test_a_run_is_started_and_seen_whole(kit: Kit) -> None:
    """GetRun by id and by key gives input, output, steps with times, labels and who started it."""
    started = await kit.start("echo", b'{"n": 3}', key="k", labels={"team": "a"})
    run = await kit.execute("echo", b"{}", key="k", on_open=wire.ON_OPEN_USE_EXISTING)
    by_key = await kit.runs.GetRun(wire.GetRunRequest(run=wire.RunRef(workflow="echo", key="k")))

    assert not started.existing
    assert started.version == "0.0.1"
    assert run.run_id in (started.run_id, by_key.run_id)
    first = await kit.get(started.run_id)
    assert state_name(first) == "SUCCEEDED"
    assert first.outcome == run_pb2.OUTCOME_SUCCEEDED
    assert first.input.data == b'{"n": 3}'
    assert json.loads(first.output.data) == {"n": 3}
    assert first.labels == {"team": "a"}
    assert first.principal == "owner"
    (step,) = first.steps
    assert (step.id, step.uses, step.state, step.attempts) == ("say", "mock.echo", run_pb2.STEP_STATE_SUCCEEDED, 1)
    assert first.create_time.ToMilliseconds() <= step.start_time.ToMilliseconds() <= step.end_time.ToMilliseconds()
    assert step.end_time.ToMilliseconds() <= first.end_time.ToMilliseconds()


async def test_a_failed_run_says_why(kit: Kit) -> None:
    """Reason, message and the failed step stand in the run."""
    run = await kit.execute("fail")

    assert state_name(run) == "FAILED"
    assert run.reason == "STEP_FAILED"
    assert [(each.step, each.message) for each in run.failures] == [("no", "on purpose")]
    assert run.steps[0].error.reason == "STEP_FAILED"


async def test_many_starts_are_answered_one_by_one(kit: Kit) -> None:
    """A refused entry of StartRuns refuses only itself, in order."""
    starts = [spec("echo"), spec("nowhere"), spec("echo", b"{"), spec("echo", key="k"), spec("wait", key="k")]
    answer = await kit.runs.StartRuns(wire.StartRunsRequest(starts=starts))

    assert [result.failure.reason for result in answer.results] == ["", "WORKFLOW_MISSING", "PAYLOAD_INVALID", "", ""]
    assert len({result.started.run_id for result in answer.results}) == 4  # three runs, and nothing for the refused


async def test_start_runs_bounds_its_entries(kit: Kit) -> None:
    """None and 501 entries are refused whole; 500 are taken."""
    none = await refused(kit.runs.StartRuns(wire.StartRunsRequest()))
    many = await refused(kit.runs.StartRuns(wire.StartRunsRequest(starts=[spec("echo")] * 501)))
    answer = await kit.runs.StartRuns(wire.StartRunsRequest(starts=[spec("wait")] * 500))

    assert (none.code, none.reason) == (many.code, many.reason) == ("INVALID_ARGUMENT", "ARGUMENT_INVALID")
    assert all(result.started.run_id for result in answer.results)
    assert (await kit.runs.CountRuns(wire.CountRunsRequest(filter='workflow == "wait"'))).count == 500


async def test_a_repeated_request_gets_the_first_answer_even_after_a_restart(tmp_path: Path) -> None:
    """The same request id is answered with the first run; another content is refused."""
    async with running(tmp_path / "d") as kit:
        await kit.register(ECHO)
        first = await kit.start("echo", b'{"a": 1, "b": 2}', request_id="r")
        same = await kit.start("echo", b'{"b":2,"a":1.0}', request_id="r")
    async with running(tmp_path / "d") as kit:
        again = await kit.start("echo", b'{"a": 1, "b": 2}', request_id="r")
        other = await refused(kit.runs.StartRun(wire.StartRunRequest(start=spec("echo", b"{}", request_id="r"))))
        count = await kit.runs.CountRuns(wire.CountRunsRequest())

    assert (same.run_id, same.existing) == (again.run_id, again.existing) == (first.run_id, True)
    assert again.version == first.version
    assert (other.code, other.reason) == ("ALREADY_EXISTS", "REQUEST_ID_CONFLICT")
    assert count.count == 1


async def test_execute_runs_share_the_request_ids_of_starts(kit: Kit) -> None:
    """ExecuteRun with the id of a StartRun waits for that run."""
    started = await kit.start("echo", b"{}", request_id="x")

    assert (await kit.execute("echo", b"{}", request_id="x")).run_id == started.run_id


async def test_a_key_is_unique_among_live_runs(kit: Kit) -> None:
    """FAIL names the open run, USE_EXISTING gives it, TERMINATE_EXISTING ends it and starts anew."""
    first = await kit.start("wait", key="k")
    second = await refused(kit.runs.StartRun(wire.StartRunRequest(start=spec("wait", key="k"))))
    used = await kit.start("wait", key="k", on_open=wire.ON_OPEN_USE_EXISTING)
    anew = await kit.start("wait", key="k", on_open=wire.ON_OPEN_TERMINATE_EXISTING)

    assert (second.code, second.reason) == ("ALREADY_EXISTS", "RUN_OPEN")
    assert second.metadata["run_id"] == first.run_id
    assert (used.run_id, used.existing) == (first.run_id, True)
    assert anew.run_id != first.run_id
    ended = await kit.get(first.run_id)
    assert (state_name(ended), ended.reason) == ("CANCELED", "TERMINATED")


@pytest.mark.parametrize(
    "workflow, rule, allowed",
    [
        ("echo", wire.ON_CLOSED_ALLOW, True),
        ("echo", wire.ON_CLOSED_ALLOW_IF_FAILED, False),
        ("echo", wire.ON_CLOSED_REJECT, False),
        ("fail", wire.ON_CLOSED_ALLOW_IF_FAILED, True),
        ("fail", wire.ON_CLOSED_REJECT, False),
    ],
)
async def test_on_closed_looks_at_finished_runs(kit: Kit, workflow: str, rule: int, allowed: bool) -> None:
    """A finished run with the key forbids another as the rule says, but never the repetition of its own request."""
    first = await kit.execute(workflow, key="k", request_id="r", on_closed=rule)
    repeated = await kit.start(workflow, key="k", request_id="r", on_closed=rule)
    request = wire.StartRunRequest(start=spec(workflow, key="k", on_closed=rule))

    assert (repeated.run_id, repeated.existing) == (first.run_id, True)
    if allowed:
        assert (await kit.runs.StartRun(request)).run_id != first.run_id
    else:
        answer = await refused(kit.runs.StartRun(request))
        assert (answer.code, answer.reason) == ("ALREADY_EXISTS", "RUN_CLOSED_EXISTS")
        assert answer.metadata["run_id"] == first.run_id


async def test_execute_past_its_deadline_leaves_the_run_running(kit: Kit) -> None:
    """The answer says so before the deadline, and names the run."""
    answer = await refused(kit.execute("wait", timeout=1.0))

    assert (answer.code, answer.reason) == ("DEADLINE_EXCEEDED", "WAIT_EXPIRED")
    assert state_name(await kit.get(answer.metadata["run_id"])) == "WAITING"


async def test_starts_are_refused_with_the_reason(kit: Kit) -> None:
    """Unknown workflow, version and inactive workflow each have their reason."""
    for start, code, reason in [
        (spec("nowhere"), "NOT_FOUND", "WORKFLOW_MISSING"),
        (spec("echo", version="9.9.9"), "NOT_FOUND", "VERSION_MISSING"),
        (spec(""), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
        (spec("Not A Name"), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
        (spec("echo", key="k" * 257), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
        (spec("echo", request_id="r" * 129), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
        (spec("echo", labels={str(n): "" for n in range(33)}), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
        (spec("echo", labels={"a": "b" * 257}), "INVALID_ARGUMENT", "ARGUMENT_INVALID"),
    ]:
        answer = await refused(kit.runs.StartRun(wire.StartRunRequest(start=start)))
        assert (answer.code, answer.reason, answer.domain) == (code, reason, "hostd"), start
        assert answer.message


async def test_payloads_are_checked_at_the_door(kit: Kit) -> None:
    """Too large, out of range, not JSON, a reference, another type: each named with its field."""
    for payload, reason in [
        (Payload(data=b'"' + b"x" * (1 << 20) + b'"'), "PAYLOAD_TOO_LARGE"),
        (Payload(data=b'{"n": 9223372036854775808}'), "NUMBER_OUT_OF_RANGE"),
        (Payload(data=b'{"n": 1e999}'), "NUMBER_OUT_OF_RANGE"),
        (Payload(json=struct_pb2.Value(number_value=float("nan"))), "NUMBER_OUT_OF_RANGE"),
        (Payload(data=b"{"), "PAYLOAD_INVALID"),
        (Payload(data=b"\xff"), "PAYLOAD_INVALID"),
        (Payload(data=b'{"a":1,"a":2}'), "PAYLOAD_INVALID"),
        (Payload(blob="00" * 32), "ARGUMENT_INVALID"),
        (Payload(data=b"{}", content_type="text/plain"), "ARGUMENT_INVALID"),
        (Payload(data=b"{}", metadata={"encoding": "gzip"}), "ARGUMENT_INVALID"),
    ]:
        start = wire.StartSpec(workflow="echo", input=payload)
        answer = await refused(kit.runs.StartRun(wire.StartRunRequest(start=start)))
        assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", reason)
        assert any(field.startswith("start.input") for field in answer.fields), answer


async def test_a_json_value_becomes_exact_text(kit: Kit) -> None:
    """What curl and browsers send as a Value is kept under the number rule."""
    value = struct_pb2.Value()
    value.struct_value.update({"n": 3, "x": 1.5, "list": [True, None, "t"]})
    run = await kit.runs.ExecuteRun(
        wire.ExecuteRunRequest(start=wire.StartSpec(workflow="echo", input=Payload(json=value)))
    )

    assert json.loads(run.output.data) == {"n": 3, "x": 1.5, "list": [True, None, "t"]}
    assert b"3.0" not in run.output.data


async def test_large_values_are_references_that_can_be_read(kit: Kit) -> None:
    """Past 32 KiB an answer names a digest; ReadBlob streams its bytes in pieces; another digest is BLOB_MISSING."""
    data = json.dumps({"text": "x" * 700_000}).encode()
    run = await kit.execute("echo", data)

    assert len(run.input.blob) == 64
    assert run.input.metadata["size_bytes"] == str(len(data))
    pieces = [piece async for piece in kit.runs.ReadBlob(wire.ReadBlobRequest(digest=run.input.blob))]
    assert b"".join(piece.data for piece in pieces) == data
    assert len(pieces) == 3
    assert (pieces[0].size_bytes, pieces[0].content_type) == (len(data), "application/json")
    missing = await refused(kit.runs.ReadBlob(wire.ReadBlobRequest(digest="0" * 64)))
    assert (missing.code, missing.reason) == ("NOT_FOUND", "BLOB_MISSING")


async def test_lists_page_in_both_orders_and_filter(kit: Kit) -> None:
    """Pages meet without gap or repeat; filters see state, labels, key and workflow."""
    ids = [(await kit.execute("echo", labels={"n": str(n)}, key=f"k{n}")).run_id for n in range(5)]
    ids.append((await kit.execute("fail")).run_id)

    for order, wanted in (("", ids[::-1]), ("create_time", ids)):
        seen: list[str] = []
        token = ""
        while True:
            request = wire.ListRunsRequest(page_size=4, page_token=token, order_by=order)
            page = await kit.runs.ListRuns(request)
            seen += [run.run_id for run in page.runs]
            token = page.next_page_token
            if not token:
                break
        assert seen == wanted
    for text, wanted in [
        ('state == "FAILED"', ids[5:]),
        ('labels.n in ["1", "3"]', [ids[3], ids[1]]),
        ('key.startsWith("k") && !(labels.n == "4" || labels.n == "0")', [ids[3], ids[2], ids[1]]),
        ('workflow != "echo"', ids[5:]),
    ]:
        page = await kit.runs.ListRuns(wire.ListRunsRequest(filter=text))
        assert [run.run_id for run in page.runs] == wanted, text
        assert (await kit.runs.CountRuns(wire.CountRunsRequest(filter=text))).count == len(wanted)


async def test_bad_filters_orders_sizes_and_tokens_have_their_reasons(kit: Kit) -> None:
    """A filter error names the indexed fields; a token belongs to the request it came from."""
    await kit.execute("echo")
    await kit.execute("echo")
    page = await kit.runs.ListRuns(wire.ListRunsRequest(page_size=1))
    for request, reason in [
        (wire.ListRunsRequest(filter="size(input) > 3"), "INVALID_FILTER"),
        (wire.ListRunsRequest(filter='state == "NOWHERE"'), "INVALID_FILTER"),
        (wire.ListRunsRequest(filter="(" * 1000), "INVALID_FILTER"),
        (wire.ListRunsRequest(order_by="state"), "ARGUMENT_INVALID"),
        (wire.ListRunsRequest(page_size=1001), "ARGUMENT_INVALID"),
        (wire.ListRunsRequest(page_token="nonsense"), "PAGE_TOKEN_INVALID"),
        (wire.ListRunsRequest(page_token=page.next_page_token, order_by="create_time"), "PAGE_TOKEN_INVALID"),
        (wire.ListRunsRequest(page_token=page.next_page_token, namespace="other"), "PAGE_TOKEN_INVALID"),
        (wire.ListRunsRequest(namespace="No"), "ARGUMENT_INVALID"),
    ]:
        answer = await refused(kit.runs.ListRuns(request))
        assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", reason), request
    unknown = await refused(kit.runs.ListRuns(wire.ListRunsRequest(filter='color == "red"')))
    assert "workflow" in unknown.message
    assert "labels" in unknown.message


async def test_namespaces_do_not_see_each_other(kit: Kit) -> None:
    """A run of one namespace is missing in another."""
    run = await kit.execute("echo")
    answer = await refused(kit.runs.GetRun(wire.GetRunRequest(namespace="other", run=ref(run.run_id))))

    assert (answer.code, answer.reason) == ("NOT_FOUND", "RUN_MISSING")
    assert (await kit.runs.CountRuns(wire.CountRunsRequest(namespace="other"))).count == 0


async def test_history_pages_by_bytes(kit: Kit) -> None:
    """Every record comes once and in order, over pages of about 1 MiB."""
    steps = "\n".join(
        f"  s{n}: {{uses: mock.echo, with: {{value: '{'x' * 30_000}'}}{', needs: s' + str(n - 1) if n else ''}}}"
        for n in range(30)
    )
    await kit.register(
        f"workflow: long\nsteps:\n{steps}\n  e: {{uses: mock.big, needs: s29, with: {{size_bytes: 40000}}}}\n"
    )
    run = await kit.execute("long", json.dumps("y" * 32_000).encode())
    seqs: list[int] = []
    sizes: list[int] = []
    token = ""
    while True:
        page = await kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=ref(run.run_id), page_token=token))
        seqs += [record.seq for record in page.records]
        sizes.append(page.ByteSize())
        token = page.next_page_token
        if not token:
            break

    assert seqs == list(range(len(seqs)))
    assert max(sizes) < 1_200_000


async def test_history_tells_what_happened(kit: Kit) -> None:
    """Kinds, steps, states, values and failures stand in the records."""
    run = await kit.execute("fail", b'{"a":1}')
    page = await kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=ref(run.run_id)))
    kinds = [run_pb2.RecordKind.Name(record.kind).removeprefix("RECORD_KIND_") for record in page.records]

    assert kinds == ["RUN_STARTED", "STEP_ENDED", "RUN_ENDED"]
    assert page.records[0].value.data == b'{"a":1}'
    assert page.records[0].principal == "owner"
    assert (page.records[1].step, page.records[1].failure.message) == ("no", "on purpose")
    assert page.records[2].run_state == run_pb2.RUN_STATE_FAILED


async def test_logs_of_attempts_are_kept(kit: Kit) -> None:
    """GetLogs gives the lines of all steps, or of one."""
    await kit.register("workflow: talk\nsteps:\n  a: {uses: log.write, with: {message: hello}}\n")
    run = await kit.execute("talk")
    lines: list[str] = []
    for _ in range(100):  # they are written beside the run
        answer = await kit.runs.GetLogs(wire.GetLogsRequest(run=ref(run.run_id)))
        lines = [line.text for line in answer.lines if line.step == "a"]
        if lines:
            break
        await asyncio.sleep(0.02)
    other = await kit.runs.GetLogs(wire.GetLogsRequest(run=ref(run.run_id), step="b"))

    assert any("hello" in line for line in lines)
    assert not other.lines


async def test_logs_come_in_the_order_of_time(kit: Kit) -> None:
    """What logged first comes first, whatever the steps are called."""
    say = "uses: log.write, with: {message: hello}}"
    steps = f"  c: {{{say}\n  a: {{needs: c, {say}\n  b: {{needs: a, {say}\n"
    await kit.register(f"workflow: talk\nsteps:\n{steps}")
    run = await kit.execute("talk")
    told: list[str] = []
    for _ in range(100):  # they are written beside the run
        told = [line.step for line in (await kit.runs.GetLogs(wire.GetLogsRequest(run=ref(run.run_id)))).lines]
        if len(told) == 3:
            break
        await asyncio.sleep(0.02)

    assert told == ["c", "a", "b"]


async def test_steering_a_run(kit: Kit) -> None:
    """Pause, resume, cancel and terminate answer with the run as it then is, and say it again when repeated."""
    one = ref((await kit.start("wait")).run_id)
    paused = await kit.runs.PauseRun(wire.PauseRunRequest(run=one, reason="lunch"))
    again = await kit.runs.PauseRun(wire.PauseRunRequest(run=one))
    resumed = await kit.runs.ResumeRun(wire.ResumeRunRequest(run=one))
    not_paused = await refused(kit.runs.ResumeRun(wire.ResumeRunRequest(run=one)))
    canceled = await kit.runs.CancelRun(wire.CancelRunRequest(run=one, reason="enough", request_id="c"))
    repeated = await kit.runs.CancelRun(wire.CancelRunRequest(run=one, reason="enough", request_id="c"))
    conflict = await refused(kit.runs.CancelRun(wire.CancelRunRequest(run=one, reason="other", request_id="c")))
    final = await refused(kit.runs.TerminateRun(wire.TerminateRunRequest(run=one)))

    assert [state_name(run) for run in (paused, again, resumed)] == ["PAUSED", "PAUSED", "WAITING"]
    assert (not_paused.code, not_paused.reason) == ("FAILED_PRECONDITION", "RUN_STATE")
    assert (state_name(canceled), canceled.reason, canceled.message) == ("CANCELED", "CANCELED", "enough")
    assert repeated == canceled
    assert (conflict.code, conflict.reason) == ("ALREADY_EXISTS", "REQUEST_ID_CONFLICT")
    assert (final.code, final.reason) == ("FAILED_PRECONDITION", "RUN_FINAL")


async def test_terminate_ends_at_once(kit: Kit) -> None:
    """The run is CANCELED with reason TERMINATED and the caller's words."""
    started = await kit.start("wait")
    run = await kit.runs.TerminateRun(wire.TerminateRunRequest(run=ref(started.run_id), reason="stop"))

    assert (state_name(run), run.reason, run.message) == ("CANCELED", "TERMINATED", "stop")


async def test_only_finished_runs_are_deleted(kit: Kit) -> None:
    """A live run is RUN_NOT_FINAL; a finished one is gone, and its repeated deletion is answered."""
    live = ref((await kit.start("wait")).run_id)
    done = ref((await kit.execute("echo")).run_id)
    refusal = await refused(kit.runs.DeleteRun(wire.DeleteRunRequest(run=live)))
    await kit.runs.DeleteRun(wire.DeleteRunRequest(run=done, request_id="d"))
    await kit.runs.DeleteRun(wire.DeleteRunRequest(run=done, request_id="d"))
    again = await refused(kit.runs.DeleteRun(wire.DeleteRunRequest(run=done)))

    assert (refusal.code, refusal.reason) == ("FAILED_PRECONDITION", "RUN_NOT_FINAL")
    assert (again.code, again.reason) == ("NOT_FOUND", "RUN_MISSING")
    assert (await refused(kit.runs.GetRun(wire.GetRunRequest(run=done)))).reason == "RUN_MISSING"


async def test_every_verb_names_a_missing_run(kit: Kit) -> None:
    """A run that is not there is RUN_MISSING everywhere; a reference that names none is ARGUMENT_INVALID."""
    gone, nothing, both = ref("0" * 26), wire.RunRef(), wire.RunRef(run_id="0" * 26, key="k")
    for name in ("Get", "Cancel", "Terminate", "Pause", "Resume", "Delete"):
        method = getattr(kit.runs, f"{name}Run")
        make = getattr(wire, f"{name}RunRequest")
        assert (await refused(method(make(run=gone)))).reason == "RUN_MISSING", name
        assert (await refused(method(make(run=nothing)))).reason == "ARGUMENT_INVALID", name
        assert (await refused(method(make(run=both)))).reason == "ARGUMENT_INVALID", name
        assert (await refused(method(make(run=ref("x"))))).reason == "ARGUMENT_INVALID", name
    assert (await refused(kit.runs.GetLogs(wire.GetLogsRequest(run=gone)))).reason == "RUN_MISSING"
    assert (await refused(kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=gone)))).reason == "RUN_MISSING"
    assert (await refused(kit.runs.WatchRun(wire.WatchRunRequest(run=gone)))).reason == "RUN_MISSING"


async def test_many_large_outputs_fit_into_one_answer(kit: Kit) -> None:
    """GetRun stays within what clients take: past 2 MiB of values the rest is named by size."""
    steps = "\n".join(f"  s{n}: {{uses: mock.big, with: {{size_bytes: 31000}}}}" for n in range(150))
    await kit.register(f"workflow: wide\nsteps:\n{steps}\n")
    run = await kit.execute("wide")

    assert run.ByteSize() < 3 * 1024 * 1024
    left_out = [step for step in run.steps if not step.output.WhichOneof("body")]
    assert left_out
    assert all(int(step.output.metadata["size_bytes"]) > 30_000 for step in left_out)


async def test_a_held_run_says_so_and_nothing_moves_it(kit: Kit) -> None:
    """Its state, reason and input can be read; steering and waiting for it are refused."""
    started = await kit.start("wait", b'{"a":1}')
    (resident,) = kit.core.residence.all()
    kit.core.residence.remove(resident.key)
    kit.core.loop.holding.hold(resident.key, HostdError(Kind.CORRUPT, "RECORD_TOO_NEW", "written by a newer hostd"))
    await kit.core.loop.quiet()
    run = await kit.get(started.run_id)
    cancel = await refused(kit.runs.CancelRun(wire.CancelRunRequest(run=ref(started.run_id))))
    watch = await refused(kit.runs.WatchRun(wire.WatchRunRequest(run=ref(started.run_id))))

    assert (state_name(run), run.reason, run.input.data) == ("HELD", "RECORD_TOO_NEW", b'{"a":1}')
    assert (cancel.code, cancel.reason) == ("FAILED_PRECONDITION", "RUN_STATE")
    assert (watch.code, watch.reason) == ("FAILED_PRECONDITION", "RUN_STATE")


async def test_a_full_door_and_a_stopping_daemon_refuse_whole(tmp_path: Path) -> None:
    """INTAKE_FULL and DRAINING say when to come back; nothing of the request was accepted."""
    async with running(tmp_path / "d", limits={"doors": 10}) as kit:
        await kit.register(ECHO)
        full = await refused(kit.runs.StartRuns(wire.StartRunsRequest(starts=[spec("echo")] * 11)))
        kit.core.intake.draining = True
        draining = await refused(kit.start("echo"))
        count = await kit.runs.CountRuns(wire.CountRunsRequest())

    assert (full.code, full.reason) == ("RESOURCE_EXHAUSTED", "INTAKE_FULL")
    assert (draining.code, draining.reason) == ("UNAVAILABLE", "DRAINING")
    assert full.retry_s
    assert draining.retry_s
    assert count.count == 0


def test_payload_numbers_are_the_protos() -> None:
    """The model's state numbers are the wire's, which conversions rely on."""
    from hostd.model.states import RunState

    for state in RunState:
        assert run_pb2.RunState.Value(f"RUN_STATE_{state.name}") == state
    assert payload_pb2.Failure.DESCRIPTOR.fields_by_name["reason"].number == 1


SIGNALED = (
    "workflow: order\nsignals: {PAY: {type: object, required: [amount]}}\n"
    "steps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
)


async def test_a_run_is_told_something(kit: Kit) -> None:
    """SignalRun answers once; GetRun counts what is kept and the history shows it; a final run refuses it."""
    await kit.register(SIGNALED)
    started = await kit.start("order", key="A")
    said = {"signal": "PAY", "data": Payload(data=b'{"amount": 7}'), "request_id": "r1"}
    first = await kit.runs.SignalRun(wire.SignalRunRequest(run=ref(started.run_id), **said))
    again = await kit.runs.SignalRun(wire.SignalRunRequest(run=ref(started.run_id), **said))
    run = await kit.get(started.run_id)
    history = await kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=ref(started.run_id)))
    record = next(each for each in history.records if each.kind == run_pb2.RECORD_KIND_SIGNAL_RECEIVED)

    assert (first.run_id, first.repeated, again.repeated) == (started.run_id, False, True)
    assert dict(run.signals) == {"PAY": 1}
    assert (record.signal, record.value.data, record.principal) == ("PAY", b'{"amount":7}', "owner")
    await kit.runs.TerminateRun(wire.TerminateRunRequest(run=ref(started.run_id)))
    late = wire.SignalRunRequest(run=ref(started.run_id), signal="PAY", data=said["data"])
    error = await refused(kit.runs.SignalRun(late))
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "RUN_FINAL")


async def test_a_signal_starts_the_run_of_its_key(kit: Kit) -> None:
    """SignalWithStart begins one run and then finds it; without a key, or with faulty data, nothing begins."""
    await kit.register(SIGNALED)

    def ask(amount: str, request_id: str = "", **fields: object) -> wire.SignalWithStartRequest:
        start = wire.StartSpec(workflow="order", request_id=request_id, **({"key": "A"} | fields))  # type: ignore[arg-type]
        return wire.SignalWithStartRequest(start=start, signal="PAY", data=Payload(data=amount.encode()))

    for faulty, reason in (
        (ask('{"amount": 1}', key=""), "ARGUMENT_INVALID"),
        (ask('{"amount": 1}', on_open=wire.ON_OPEN_FAIL), "ARGUMENT_INVALID"),
        (ask("{}"), "SIGNAL_INVALID"),
    ):
        assert (await refused(kit.runs.SignalWithStart(faulty))).reason == reason
    assert (await kit.runs.CountRuns(wire.CountRunsRequest(filter='workflow == "order"'))).count == 0

    first = await kit.runs.SignalWithStart(ask('{"amount": 1}', "r1"))
    second = await kit.runs.SignalWithStart(ask('{"amount": 2}', "r2"))
    again = await kit.runs.SignalWithStart(ask('{"amount": 1}', "r1"))
    error = await refused(kit.runs.SignalWithStart(ask('{"amount": 9}', "r1")))

    assert (first.existing, second.existing, again.existing) == (False, True, True)
    assert {first.run_id, second.run_id, again.run_id} == {first.run_id} and first.version == second.version != ""
    assert error.reason == "REQUEST_ID_CONFLICT"
    assert dict((await kit.get(first.run_id)).signals) == {"PAY": 2}
