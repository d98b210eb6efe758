"""The grammar of case files (`*.test.yaml`), as tables. It is checked, exported for editors and documented."""

from __future__ import annotations

from hostd.definition.grammar import COMPONENT, ID
from hostd.definition.shapes import Anything, Choice, Flag, Key, Many, Named, Number, Period, Shape, Text

CASES_MAX = 1_000
STEPS_MAX = 5_000
ENDS = ("SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT")
STATES = (*ENDS, "PENDING", "RUNNING", "WAITING", "PAUSED")
STEP_STATES = ("PENDING", "READY", "RUNNING", "WAITING", "RETRYING", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")

FILE = Text("a path, from this file's folder", literal=True)
MOMENT = Text("a time such as 2026-03-28T12:00:00Z", max_chars=40)
REASON = Text("a REASON", r"[A-Z][A-Z0-9_]{0,62}", max_chars=63)
CODE = Text("a code", max_chars=200)
STEP = Text("a step's id, or handlers.NAME", r"(handlers\.)?[a-z][a-z0-9_]{0,62}", max_chars=80)
TARGET = Text(
    "`steps.ID`, `handlers.NAME` or an action such as http.request",
    r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})+",
    max_chars=128,
)
SIGNAL = Text("a signal's name", r"[A-Za-z][A-Za-z0-9_-]{0,62}", max_chars=63)
VARIABLE = Text("a variable's name", r"[A-Za-z_][A-Za-z0-9_]{0,127}", max_chars=128)
SECRET = Text("a secret's name", r"[a-z][a-z0-9_]{0,62}", max_chars=63)
VALUE = Text("a text", max_chars=65_536)
NUMBER = Number(0, 1_000_000, whole=True)

FAILS = Shape(
    "fails",
    {
        "code": Key(CODE, "What `error.code` and `non_retryable: [code:TEXT]` read."),
        "message": Key(Text("a message", max_chars=2_000), "What the failure says."),
        "retryable": Key(Flag(), "Whether trying again can help (false)."),
        "retry_after": Key(Period(zero=True), "Replaces the step's own back-off."),
        "details": Key(Anything(("map",), "a mapping"), "What `error.details` reads."),
    },
)
ANSWER = Shape(
    "mock",
    {
        "returns": Key(Anything(), "The output."),
        "fails": Key(FAILS, "It fails so."),
        "hangs": Key(Flag(), "It never answers."),
        "after": Key(Period(zero=True), "How long the answer takes, on the host's clock."),
        "script": Key(Anything(("list",), "a list of mocks"), "One answer a call; the last is given again and again."),
    },
)
MOCKS = Named(TARGET, ANSWER, most=STEPS_MAX)
SECRETS = Named(SECRET, VALUE, most=1_000)
VARIABLES = Named(VARIABLE, VALUE, most=1_000)

MEANWHILE = Shape(
    "at",
    {
        "after": Key(Period(zero=True), "How long after the start.", required=True),
        "signal": Key(SIGNAL, "The run is told this signal."),
        "data": Key(Anything(), "The signal's data."),
        "cancel": Key(Text("a reason", max_chars=1_000), "The run is cancelled, for this reason."),
        "terminate": Key(Text("a reason", max_chars=1_000), "The run is ended at once, for this reason."),
    },
)
STEP_EXPECTED = Shape(
    "step",
    {
        "state": Key(Choice(STEP_STATES), "How it stands."),
        "output": Key(Anything(), "Its output."),
        "attempts": Key(NUMBER, "How many attempts it took."),
        "reason": Key(REASON, "Why it failed."),
        "code": Key(CODE, "The action's own word for why it failed."),
    },
)
FAILURE = Shape(
    "failure",
    {
        "step": Key(STEP, "Which step failed first."),
        "reason": Key(REASON, "Its reason."),
        "code": Key(CODE, "The action's own word for it."),
        "message": Key(Anything(), "Its message."),
    },
)
EXPECT = Shape(
    "expect",
    {
        "state": Key(Choice(STATES), "How the run ends: SUCCEEDED where nothing else is expected. Or how it stands."),
        "output": Key(Anything(), "The run's output."),
        "path": Key(Many(ID, STEPS_MAX), "The steps that began, in that order; steps that were skipped are not in it."),
        "steps": Key(Named(STEP, Anything(("text", "map"), "a state, or a mapping"), STEPS_MAX), "Single steps."),
        "failure": Key(FAILURE, "The first failure; the run is expected to be FAILED."),
        "refused": Key(REASON, "The run is not even started, for this reason (INPUT_INVALID)."),
        "took": Key(Period(zero=True), "Exactly so long, on the host's clock."),
        "calls": Key(
            Named(TARGET, Anything(("number", "list"), "a count, or a list of options"), STEPS_MAX),
            "How often a mock was called, or with which options (of each call those that are named).",
        ),
    },
)
TRIGGER = Shape(
    "trigger",
    {
        "name": Key(ID, "A trigger of the workflow.", required=True),
        "data": Key(Anything(), "The event's data."),
    },
)
_SHARED = {
    "start": Key(MOMENT, "What documents see as now at the start (2026-01-01T00:00:00Z)."),
    "secrets": Key(SECRETS, "Secrets that steps read."),
    "env": Key(VARIABLES, "What documents read as `env`."),
    "mocks": Key(MOCKS, "What answers in the place of an action, or of a step: `steps.ID`, `handlers.NAME`."),
}
CASE = Shape(
    "case",
    {
        "name": Key(Text("a name", max_chars=200), "What it shows, for people.", required=True),
        "input": Key(Anything(), "The run's input ({})."),
        "trigger": Key(TRIGGER, "Instead of `input`: the run is started by an event of this trigger."),
        **_SHARED,
        "at": Key(Anything(("list",), "a list"), "What happens meanwhile."),
        "until": Key(Period(), "How far the clock may go (366d)."),
        "expect": Key(EXPECT, "What has to come of it (`state: SUCCEEDED`)."),
    },
)
CASE_FILE = Shape(
    "case file",
    {
        "workflow": Key(FILE, "The workflow's file.", required=True),
        "also": Key(Many(FILE, 100, or_one=True), "Files of other workflows that are there."),
        "plugins": Key(Many(FILE, 100, or_one=True), "Folders of plugins in Python that it needs."),
        "allow": Key(
            Many(COMPONENT, 1_000, or_one=True),
            "Actions that reach outside and may run all the same; others fail with the code NOT_MOCKED, but for those"
            ' of `plugins` that say `effects = "none"`.',
        ),
        **_SHARED,
        "cases": Key(Anything(("list",), "a list"), "The cases, at least one.", required=True),
    },
)
