"""Results say everything that the messages say, in Python's words."""

from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import pytest
from google.protobuf.message import Message

from hostd.client import errors, host_results, results, run_results
from hostd.client.conversion import result_of
from hostd.client.payloads import to_payload
from hostd.v1 import (
    admin_service_pb2,
    dead_letter_service_pb2,
    event_service_pb2,
    payload_pb2,
    plugin_service_pb2,
    run_pb2,
    run_service_pb2,
    script_service_pb2,
    secret_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)

RESULTS = [
    (run_results.Failure, payload_pb2.Failure),
    (run_results.Step, run_pb2.Step),
    (run_results.Run, run_pb2.Run),
    (run_results.Record, run_pb2.HistoryRecord),
    (run_results.RunChange, run_service_pb2.RunChange),
    (run_results.LogLine, run_service_pb2.LogLine),
    (run_results.Logs, run_service_pb2.GetLogsResponse),
    (results.WorkflowVersion, workflow_service_pb2.WorkflowVersion),
    (results.Workflow, workflow_service_pb2.Workflow),
    (results.Registered, workflow_service_pb2.RegisterWorkflowResponse),
    (results.Validated, workflow_service_pb2.ValidateWorkflowResponse),
    (results.Trigger, trigger_service_pb2.Trigger),
    (results.TriggerChange, trigger_service_pb2.TriggerChange),
    (results.AppliedTrigger, trigger_service_pb2.CreateTriggerResponse),
    (results.Fired, trigger_service_pb2.FireTriggerResponse),
    (results.Slot, trigger_service_pb2.Slot),
    (results.Backfilled, trigger_service_pb2.BackfillTriggerResponse),
    (results.PublishedEvent, event_service_pb2.PublishedEvent),
    (results.EventType, event_service_pb2.EventType),
    (host_results.Secret, secret_service_pb2.Secret),
    (host_results.Component, plugin_service_pb2.Component),
    (host_results.ComponentSchema, plugin_service_pb2.ComponentSchema),
    (host_results.OldPluginProcess, plugin_service_pb2.OldPluginProcess),
    (host_results.PluginProcess, plugin_service_pb2.PluginProcess),
    (host_results.Plugin, plugin_service_pb2.Plugin),
    (host_results.InstalledPlugin, plugin_service_pb2.InstallPluginResponse),
    (host_results.DeadLetter, dead_letter_service_pb2.DeadLetter),
    (host_results.Redriven, dead_letter_service_pb2.Redriven),
    (host_results.AuditEvent, admin_service_pb2.AuditEvent),
    (host_results.SystemInfo, admin_service_pb2.SystemInfo),
    (host_results.Backup, admin_service_pb2.BackupJournalResponse),
    (host_results.Compaction, admin_service_pb2.CompactJournalResponse),
    (host_results.EvaluatedScript, script_service_pb2.EvaluateScriptResponse),
    (host_results.ValidatedScript, script_service_pb2.ValidateScriptResponse),
    (results.TriedEvent, trigger_service_pb2.TestTriggerResponse),
    (results.WorkflowDiff, workflow_service_pb2.DiffWorkflowVersionsResponse),
    (results.WorkflowDifference, workflow_service_pb2.WorkflowDifference),
    (host_results.Namespace, admin_service_pb2.Namespace),
    (host_results.ConfigValue, admin_service_pb2.ConfigValue),
    (host_results.EffectiveConfig, admin_service_pb2.EffectiveConfig),
    (host_results.ConfigChange, admin_service_pb2.ConfigChange),
    (host_results.ReloadedConfig, admin_service_pb2.ReloadConfigResponse),
]


@pytest.mark.parametrize("kind,message", RESULTS, ids=lambda each: each.__name__)
def test_a_result_has_the_fields_of_its_message(kind: Any, message: type[Message]) -> None:
    """No field is called otherwise than on the wire; an empty message becomes a result."""
    assert get_type_hints(kind).keys() <= {field.name for field in message.DESCRIPTOR.fields}
    assert isinstance(result_of(kind, message()), kind)


@pytest.mark.parametrize(
    "words,enum,prefix",
    [
        (run_results.RunState, run_pb2.RunState, "RUN_STATE_"),
        (run_results.Outcome, run_pb2.Outcome, "OUTCOME_"),
        (run_results.StepState, run_pb2.StepState, "STEP_STATE_"),
        (run_results.ChangeKind, run_service_pb2.ChangeKind, "CHANGE_KIND_"),
    ],
)
def test_states_are_those_of_the_wire(words: Any, enum: Any, prefix: str) -> None:
    """A type checker knows each word, and no other; only what is always set has no empty one."""
    assert set(get_args(words)) - {""} == {name.removeprefix(prefix) for name in list(enum.keys())} - {"UNSPECIFIED"}


def test_a_run_is_pythons() -> None:
    """Values, times, words, maps and what is inside; what is not set is None or empty."""
    message = run_pb2.Run(
        run_id="r", state="RUN_STATE_FAILED", labels={"a": "b"}, input=to_payload({"n": 1.5}), signals={"s": 2},
        failures=[payload_pb2.Failure(reason="STEP_FAILED", details=to_payload([1]))],
        steps=[run_pb2.Step(id="one", needs=["two"], error=payload_pb2.Failure(code="c"))],
    )  # fmt: skip
    message.create_time.FromJsonString("2026-01-31T12:00:00.250Z")

    run = result_of(run_results.Run, message)

    assert (run.state, run.outcome, run.final, run.succeeded) == ("FAILED", "", True, False)
    assert (run.input, run.output, run.labels, run.signals) == ({"n": 1.5}, None, {"a": "b"}, {"s": 2})
    assert run.create_time == datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
    assert run.end_time is None
    assert run.failures[0].details == [1]
    step = run.step("one")
    assert (step.needs, step.error and step.error.code, step.output) == (("two",), "c", None)
    with pytest.raises(KeyError):
        run.step("three")


def test_a_word_of_a_newer_daemon_is_its_number() -> None:
    """An enum that has grown does not break a client."""
    assert result_of(run_results.Step, run_pb2.Step(state=99)).state == "99"  # type: ignore[arg-type]


def test_the_result_of_a_run_is_its_output_or_an_error() -> None:
    """Only SUCCEEDED has an output; the error holds the run; a run that goes on has none yet."""
    ended = result_of(run_results.Run, run_pb2.Run(state="RUN_STATE_SUCCEEDED", output=to_payload("fine")))
    assert ended.result() == "fine"
    failed = result_of(
        run_results.Run, run_pb2.Run(run_id="r", state="RUN_STATE_TIMED_OUT", reason="RUN_TIMEOUT", message="too slow")
    )
    with pytest.raises(errors.RunUnsuccessful, match="too slow") as caught:
        failed.result()
    assert caught.value.run is failed
    assert (caught.value.kind, caught.value.reason, caught.value.metadata["run_id"]) == ("TIMEOUT", "RUN_TIMEOUT", "r")
    with pytest.raises(ValueError, match="not ended"):
        result_of(run_results.Run, run_pb2.Run(state="RUN_STATE_RUNNING")).result()
