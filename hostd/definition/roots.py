"""Which roots an expression may read where it stands: the table at the end of the language's reference, as data."""

from __future__ import annotations

RUN = frozenset({"input", "run", "vars", "env"})
BODY = RUN | {"steps"}
VARS = frozenset({"input", "run"})
OPTIONS = BODY | {"secrets"}
RETRY = BODY | {"error"}
HANDLER = BODY | {"failure", "failures"}
HANDLER_OPTIONS = HANDLER | {"secrets"}
HANDLER_RETRY = HANDLER | {"error"}
TRIGGER_OPTIONS = frozenset({"secrets"})
EVENT = frozenset({"event"})

LATER = {
    "item": "`for_each`",
    "index": "`for_each`",
    "key": "`for_each`",
    "output": "`until`",
    "signal": "state machines",
    "context": "state machines",
    "actions": "state machines",
    "approval": "`flow.approval`",
}
ALL = frozenset({"input", "run", "vars", "env", "steps", "secrets", "event", "error", "failure", "failures", *LATER})
WHERE = {
    "input": "in a run: its steps, handlers, `vars` and `output`",
    "run": "in a run: its steps, handlers, `vars` and `output`",
    "vars": "in steps, handlers and `output`, not in `vars` itself",
    "env": "in steps, handlers and `output`",
    "steps": "in steps that need them, in handlers and in `output`",
    "secrets": "inside `with` of an action or trigger",
    "event": "in a trigger's `if`, `input` and `key`",
    "error": "in `retry.if`",
    "failure": "in handlers",
    "failures": "in handlers",
}
STATUS_FUNCTIONS = ("succeeded", "failed", "none_failed", "always", "canceled")
