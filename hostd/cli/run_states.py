"""States of runs on the command line: words in any case, completed by the shell, checked before a filter is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from hostd.errors.base import invalid

STATES = (
    "PENDING", "RUNNING", "WAITING", "PAUSED", "CANCELING", "COMPENSATING", "HELD", "SUCCEEDED", "FAILED", "CANCELED",
    "TIMED_OUT",
)  # fmt: skip
"""Those of hostd/v1/run.proto; importing them would take longer than completing one."""


def states_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--state`, which a command gets as `states`."""
    return click.option(
        "--state", "states", multiple=True, metavar="STATE", callback=_states, shell_complete=_completed,
        help="Only runs in this state, such as FAILED; may be repeated.",
    )(command)  # fmt: skip


def _states(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(state_of, words))


def state_of(word: str) -> str:
    """Return a state by its name in any case. Raises ARGUMENT_INVALID with the nearest one."""
    name = word.upper().replace("-", "_")
    if name in STATES:
        return name
    from difflib import get_close_matches

    near = get_close_matches(name[:80], STATES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(STATES)}"
    raise invalid("ARGUMENT_INVALID", f"--state: there is no state {word[:80]!r} of runs; {hint}")


def _completed(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    begun = incomplete.upper()
    return [CompletionItem(state) for state in STATES if state.startswith(begun)]
