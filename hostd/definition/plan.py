"""Compiled plans: what a workflow document becomes. Frozen; shared by every run of a version.

The engine reads plans; `definition.compile` makes them. Expressions and templates are compiled once, here they are
only known by what can be asked of them.
"""

from __future__ import annotations

import enum
from typing import Any, Protocol

import msgspec


class BlobNeeded(Exception):
    """An expression looks into a value that lies in a blob; the caller fetches it and evaluates again.

    Passes through `&&`, `||` and `default()`: it is not an error of the expression.
    """

    def __init__(self, digest: bytes) -> None:
        super().__init__(digest.hex())
        self.digest = digest


class Scope(Protocol):
    """What an expression may see while it is evaluated."""

    @property
    def now_ms(self) -> int:
        """`at` of the record that made the step ready."""
        ...

    def root(self, name: str) -> Any:
        """Return a root's value (`input`, `run`, `vars`, `env`, `event`, `failure`, `error`, ...): JSON types.

        Raises LookupError (with a sentence) where the root has no value here; BlobNeeded when it lies in a blob.
        """
        ...

    def step(self, step_id: str, field: str) -> Any:
        """Return `steps.<id>.<field>`, field one of output, state, result, error, attempts (states as words).

        Raises LookupError (with a sentence) when the step has not ended; BlobNeeded when its output lies in a blob.
        """
        ...

    def why_null(self, step_id: str) -> str:
        """Return why `steps.<id>.output` or `.error` is null, such as `fetch was SKIPPED`, for error messages."""
        ...

    def status(self, name: str) -> bool:
        """Return succeeded, failed, none_failed, always or canceled, seen from the step being decided."""
        ...

    def seed(self, field_path: str) -> bytes:
        """Return 16 bytes that random functions (`uuid()`, `random()`) are seeded with."""
        ...


class Expression(Protocol):
    """One compiled expression."""

    @property
    def source(self) -> str: ...

    @property
    def uses_status(self) -> frozenset[str]:
        """Status functions it calls: of succeeded, failed, none_failed, always, canceled."""
        ...

    @property
    def reads_steps(self) -> frozenset[str]:
        """Ids after `steps.`."""
        ...

    @property
    def reads_roots(self) -> frozenset[str]: ...

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> Any:
        """Return the value: JSON types (timestamps and durations as text).

        Raises HostdError EXPRESSION_FAILED (naming the path) or EXPRESSION_LIMIT; BlobNeeded.
        """
        ...


class Template(Protocol):
    """A value tree, literal or with `${{ }}` in its texts."""

    @property
    def literal(self) -> bool:
        """True when there is nothing to render; `render` then returns the same value for every scope."""
        ...

    @property
    def reads_steps(self) -> frozenset[str]: ...

    @property
    def reads_roots(self) -> frozenset[str]: ...

    @property
    def secrets(self) -> frozenset[str]: ...

    def render(self, scope: Scope, budget: Budget | None = None) -> Any:
        """Return the value: JSON types, with SecretRef and SecretText for secrets. Raises as Expression.evaluate."""
        ...


class Budget(msgspec.Struct, gc=False):
    """Nodes one decision may still evaluate; shared by all its expressions."""

    nodes_left: int = 20_000


class StepKind(enum.IntEnum):
    """Who does the step: an action of a plugin, or the engine itself."""

    ACTION = 0
    WAIT = 1
    PASS = 2
    FAIL = 3
    END = 4


class RetryPlan(msgspec.Struct, frozen=True, gc=False):
    """When a failed attempt is tried again. `max_attempts` counts the first; 0 = no limit (there is a deadline)."""

    max_attempts: int = 3
    initial_interval_ms: int = 1_000
    backoff_coefficient: float = 2.0
    max_interval_ms: int = 100_000
    jitter: float = 0.2
    non_retryable: frozenset[str] = frozenset()  # reasons
    non_retryable_codes: frozenset[str] = frozenset()  # codes of actions
    condition: Any = None  # Expression over `error`
    retry_on_lost: bool = False  # also at_most_once attempts


class StepPlan(msgspec.Struct, frozen=True, gc=False):
    """One step. Indexes are positions in Plan.steps. Durations: 0 = none."""

    index: int
    id: str
    uses: str
    kind: StepKind = StepKind.ACTION
    options: Any = None  # Template of `with`; renders to a dict
    needs: tuple[int, ...] = ()
    dependents: tuple[int, ...] = ()
    condition: Any = None  # Expression; None = succeeded(); one without a status function means succeeded() && (...)
    after_cancel: bool = False  # `if` uses always() or canceled()
    retry: RetryPlan | None = None
    timeout_ms: int = 0
    deadline_ms: int = 0
    continue_on_error: bool = False
    handler: str = ""  # success, failure, cancel or exit; empty = a body step
    name: str = ""
    description: str = ""
    line: int = 0


class SignalPlan(msgspec.Struct, frozen=True, gc=False):
    """What a trigger's event says to a run."""

    name: Any  # Template rendering to text
    data: Any = None  # Template; None = the event's data


class TriggerPlan(msgspec.Struct, frozen=True, gc=False):
    """One configured trigger of a workflow. Templates and expressions see `event` (and `secrets` in options)."""

    name: str
    uses: str
    options: Any = None  # Template
    condition: Any = None  # Expression
    input: Any = None  # Template; None = the event's data when it is an object, else {}
    key: Any = None  # Template rendering to text
    line: int = 0
    signal: SignalPlan | None = None  # the event goes to the open run of the key
    start: bool = True  # with `signal`: a run is started first where none of the key is open


class Plan(msgspec.Struct, frozen=True, gc=False):
    """A compiled workflow version."""

    workflow: str
    version: str  # "" where the document has none; the server then numbers it 0.0.n
    digest: bytes  # blake2b-256 of the canonical form of the parsed document
    document: bytes  # canonical JSON of the parsed document; equal documents give equal plans, positions too
    steps: tuple[StepPlan, ...]  # body, each step behind its needs, then handlers success, failure, cancel, exit
    body_count: int
    index: dict[str, int]  # body ids -> position
    handlers: dict[str, int]  # success | failure | cancel | exit -> position
    triggers: tuple[TriggerPlan, ...] = ()
    description: str = ""
    labels: dict[str, str] = {}
    inputs: Any = None  # JSON Schema (dict) of the input, None = anything
    vars: tuple[tuple[str, Any], ...] = ()  # (name, Template), in order
    output: Any = None  # Template
    timeout_ms: int = 0
    cleanup_timeout_ms: int = 300_000
    fail_fast: bool = False
    env_names: frozenset[str] = frozenset()  # names the document reads as env.<name>
    secret_names: frozenset[str] = frozenset()
    permissions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    retention_ms: dict[str, int] = {}  # overrides of this workflow: runs, logs
    signals: dict[str, Any] = {}  # name -> InputContract of its data
