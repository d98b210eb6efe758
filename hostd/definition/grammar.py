"""The grammar of workflow documents, as tables. It is checked, exported for editors and documented."""

from __future__ import annotations

from hostd.definition.shapes import (
    Anything,
    Choice,
    Condition,
    Flag,
    JsonSchema,
    Key,
    Many,
    Named,
    Number,
    OneOf,
    Options,
    Period,
    Shape,
    Text,
    not_yet,
)

MAX_STEPS = 5_000
MAX_TRIGGERS = 100
MAX_LABELS = 32
MAX_VARS = 200
MAX_SIGNALS = 200
MAX_ATTEMPTS = 1_000_000

ID = Text("an id", r"[a-z][a-z0-9_]{0,62}", fix="id", max_chars=63, reason="NAME_INVALID")
WORKFLOW_NAME = Text("a workflow name", r"[a-z][a-z0-9-]{0,62}", fix="name", max_chars=63, reason="NAME_INVALID")
VERSION = Text(
    "a semantic version such as 1.2.0",
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    fix="version",
    max_chars=100,
)
COMPONENT = Text("`<domain>.<name>`", r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})+", max_chars=128, fix="component")
PERMISSION = Text("a capability such as http.request", r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", max_chars=64)
LABEL_NAME = Text("a label name", r"[A-Za-z][A-Za-z0-9_.-]{0,62}", max_chars=63, reason="NAME_INVALID")
SIGNAL_NAME = Text("a signal's name such as PAY", r"[A-Za-z][A-Za-z0-9_-]{0,62}", max_chars=63, reason="NAME_INVALID")
LABEL_VALUE = Text("a label value of at most 256 characters", max_chars=256, literal=True)
RULE = Text("a REASON, or code:TEXT", r"[A-Z][A-Z0-9_]{0,62}|code:\S.{0,127}", max_chars=133, fix="rule")
EXECUTOR = OneOf(
    Text("an executor such as inline", r"[a-z][a-z0-9_]{0,62}", max_chars=63), "an executor with queue or labels"
)
NAME = Text("a name for people", max_chars=200)
DESCRIPTION = Text("a description for people", max_chars=10_000)

RETRY = Shape(
    "retry",
    {
        "max_attempts": Key(
            Number(0, MAX_ATTEMPTS, whole=True),
            "Attempts, the first counted (3); 0 = no limit, then `deadline` is required.",
        ),
        "initial_interval": Key(Period(zero=True), "Wait before the second attempt (1s)."),
        "backoff_coefficient": Key(Number(1, 1_000), "Each wait is this many times the one before (2)."),
        "max_interval": Key(Period(zero=True), "No wait is longer (100 times the first)."),
        "jitter": Key(Number(0, 1), "Each wait is multiplied by a random number in 1 ± jitter (0.2)."),
        "non_retryable": Key(
            Many(RULE, 100, or_one=True), "Reasons, or `code:TEXT` of actions, that end the step at once."
        ),
        "if": Key(Condition(), "Retry only if this holds; sees `error`."),
        "on_lost": Key(Choice(("retry",)), "Issue a lost attempt of an `at_most_once` action again."),
    },
)

POSITION = Shape(
    "position",
    {"x": Key(Number(-1e9, 1e9), "Across.", required=True), "y": Key(Number(-1e9, 1e9), "Down.", required=True)},
)

_STEP_LATER = {
    "steps": not_yet("A block: steps in a scope of their own."),
    "output": not_yet("A block's output."),
    "for_each": not_yet("A pass per item of a list or map."),
    "as": not_yet("The item's name in a pass."),
    "max_parallel": not_yet("Passes at once."),
    "on_item_error": not_yet("What a failed item does to the others."),
    "while": not_yet("Repeat while this holds."),
    "until": not_yet("Repeat until this holds."),
    "every": not_yet("The time between repetitions."),
    "max_iterations": not_yet("Repetitions at most."),
    "race": not_yet("The first leaf to succeed ends the block."),
    "catch": not_yet("A step that sees the error and may mend it."),
    "compensate": not_yet("A step that undoes this one."),
    "concurrency": not_yet("A limit across runs."),
    "interceptors": not_yet("What stands around the action."),
}

_STEP_COMMON = {
    "uses": Key(COMPONENT, "The action, `<domain>.<name>`.", required=True),
    "with": Key(Options(), "The action's options."),
    "if": Key(Condition(), "Run only if this holds; `succeeded()` unless it calls a status function."),
    "retry": Key(RETRY, "When a failed attempt is tried again; without it there is one attempt."),
    "timeout": Key(Period(), "Time of one attempt."),
    "deadline": Key(Period(), "Time of all attempts together, from the moment the step is ready."),
    "on_error": Key(
        Choice(("fail", "continue")), "`continue`: a failure of this step counts as success for what follows."
    ),
    "executor": Key(EXECUTOR, "Where the code runs, if the action allows it."),
    "name": Key(NAME, "For people."),
    "description": Key(DESCRIPTION, "For people."),
    "position": Key(POSITION, "Where an editor draws it."),
}

STEP = Shape(
    "step",
    {
        **_STEP_COMMON,
        "needs": Key(Many(ID, MAX_STEPS, or_one=True), "Steps that must have ended before this one begins."),
        **_STEP_LATER,
    },
)
HANDLER = Shape("handler", {**_STEP_COMMON, **_STEP_LATER})
HANDLERS = Shape(
    "handlers",
    {
        "success": Key(HANDLER, "Runs when the run has succeeded."),
        "failure": Key(HANDLER, "Runs when it has failed or timed out; sees `failure` and `failures`."),
        "cancel": Key(HANDLER, "Runs when it was canceled."),
        "exit": Key(HANDLER, "Runs last, whatever happened."),
    },
)
TRIGGER_SIGNAL = Shape(
    "signal",
    {
        "name": Key(
            Anything(("text",), "a name from `signals`, or an expression that gives one"),
            "Which signal, one of the workflow's `signals`.",
            required=True,
        ),
        "data": Key(Anything(), "What it says, built from `event`; the event's data where it is left out."),
    },
)
TRIGGER = Shape(
    "trigger",
    {
        "uses": Key(COMPONENT, "The trigger, `<domain>.<name>`.", required=True),
        "with": Key(Options(), "The trigger's options."),
        "if": Key(Condition(), "Start a run only if this holds; sees `event`."),
        "input": Key(
            Anything(("map",), "a mapping, or an expression that gives one"), "The run's input, built from `event`."
        ),
        "key": Key(
            Anything(("text", "number"), "a text, or an expression that gives one"),
            "The run's key, built from `event`.",
        ),
        "signal": Key(TRIGGER_SIGNAL, "Deliver the event to the open run of `key` instead of starting another."),
        "start": Key(Flag(), "With `signal`: first start a run where none of the key is open (true)."),
    },
)
TARGET = Text(
    "WORKFLOW@active, or WORKFLOW@VERSION",
    rf"{WORKFLOW_NAME.pattern}@(active|{VERSION.pattern})",
    max_chars=170,
    fix="target",
)
TRIGGER_DOCUMENT = Shape(
    "trigger document",
    {
        "trigger": Key(ID, "The trigger's name, unique among triggers of their own.", required=True),
        "target": Key(TARGET, "What it starts: `order@active`, or one version, `order@1.2.0`.", required=True),
        "description": Key(DESCRIPTION, "For people."),
        **TRIGGER.keys,
    },
)
DEFAULTS = Shape(
    "defaults",
    {
        "retry": Key(RETRY, "For steps without `retry`."),
        "timeout": Key(Period(), "For steps without `timeout`."),
        "executor": Key(EXECUTOR, "For steps without `executor`."),
        "interceptors": not_yet("For every step."),
    },
)
RETENTION = Shape(
    "retention",
    {
        "runs": Key(Period(), "How long finished runs and their history are kept (30d)."),
        "logs": Key(Period(), "How long logs are kept after their last line, at most as long as their run (7d)."),
    },
)

WORKFLOW = Shape(
    "workflow",
    {
        "workflow": Key(WORKFLOW_NAME, "The workflow's name.", required=True),
        "version": Key(VERSION, "Semantic version; without it the server numbers revisions 0.0.n."),
        "description": Key(DESCRIPTION, "For people."),
        "labels": Key(Named(LABEL_NAME, LABEL_VALUE, MAX_LABELS), "Names and texts that runs can be filtered by."),
        "inputs": Key(JsonSchema(), "JSON Schema of the run's input; defaults are applied."),
        "signals": Key(
            Named(SIGNAL_NAME, JsonSchema(), MAX_SIGNALS),
            "What open runs may be told: names, each with the JSON Schema of its data.",
        ),
        "vars": Key(
            Named(ID, Anything(), MAX_VARS), "Values computed once when the run starts, from `input` and `run`."
        ),
        "defaults": Key(DEFAULTS, "What steps have that do not say it themselves."),
        "triggers": Key(Named(ID, TRIGGER, MAX_TRIGGERS), "What starts runs."),
        "steps": Key(Named(ID, STEP, MAX_STEPS, least=1), "What a run does.", required=True),
        "handlers": Key(HANDLERS, "Steps that run at the end."),
        "output": Key(Anything(), "The run's output, evaluated when it has succeeded."),
        "timeout": Key(Period(), "Time of the whole run."),
        "cleanup_timeout": Key(Period(), "Time of what still runs after a cancel or a timeout (5m)."),
        "fail_fast": Key(Flag(), "Cancel what runs beside a failure (false)."),
        "retention": Key(RETENTION, "How long runs of this workflow are kept."),
        "permissions": Key(Many(PERMISSION, 100), "Capabilities that scripts and plugins may use in this workflow."),
        "states": not_yet("A state machine instead of steps."),
        "initial": not_yet("A state machine's first state."),
        "context": not_yet("A state machine's own values."),
        "actions": not_yet("Steps that a state machine's transitions name."),
        "concurrency": not_yet("A limit on runs across the cluster."),
        "priority": not_yet("Which runs go first."),
        "interceptors": not_yet("What stands around every action."),
        "max_parallel": not_yet("Attempts at once in a run."),
        "run_retry": not_yet("Start the whole run again."),
        "requires": not_yet("Plugins and capabilities by version."),
    },
)
TRIGGER_DOCUMENT_KEY = "trigger"

ENGINE_STEPS: dict[str, Shape] = {
    "flow.wait": Shape(
        "flow.wait",
        {
            "duration": Key(Anything(("text",), "a duration such as 10m, or an expression"), "How long."),
            "until": Key(Anything(("text",), "a time such as 2031-01-01T00:00:00Z, or an expression"), "Until when."),
        },
    ),
    "flow.pass": Shape("flow.pass", {"output": Key(Anything(), "The step's output.")}),
    "flow.fail": Shape(
        "flow.fail",
        {
            "message": Key(Anything(("text",), "a text"), "What went wrong.", required=True),
            "code": Key(Anything(("text",), "a text"), "A word for programs."),
            "details": Key(Anything(("map",), "a mapping"), "More for programs."),
        },
    ),
    "flow.end": Shape(
        "flow.end",
        {
            "state": Key(Anything(("text",), "SUCCEEDED, FAILED or CANCELED"), "How the run ends (SUCCEEDED)."),
            "output": Key(Anything(), "The run's output."),
            "message": Key(Anything(("text",), "a text"), "Why."),
        },
    ),
}
ENGINE_STEPS_LATER = ("flow.approval", "flow.lock", "flow.restart", "flow.signal", "flow.workflow")
EXPRESSION_WORDS = ("false", "in", "null", "true")
