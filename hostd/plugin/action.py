"""Actions: what a step uses."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, get_args

from hostd.plugin.component import Component, refuse
from hostd.plugin.context import ActionContext
from hostd.plugin.options import Options

Effects: TypeAlias = Literal["none", "idempotent", "at_most_once"]
"""`none`: changes nothing outside. `idempotent`: may happen twice. `at_most_once`: never issued again once lost."""

OptionsT = TypeVar("OptionsT", bound=Options)

CODE = re.compile(r"(?:[A-Z0-9_]|<[a-z_]+>)+")
CODES_MAX = 200
CODE_CHARS_MAX = 100
MEANING_CHARS_MAX = 1_000
RUN_BY_HOST = frozenset({"inline", "thread", "process"})
EXECUTORS = RUN_BY_HOST | {"lua", "worker", "shell", "kubernetes", "dask"}


class Action(Component, Generic[OptionsT]):
    """One instance a daemon, provisioned once and shared by all attempts: keep nothing of an attempt on `self`.

    Attributes:
        effects: what the outside sees of an attempt; decides what happens to lost ones.
        executors: where `run` may run, the default first. `async def run` takes `inline` (and `process`), a blocking
            plain `def run` takes `thread` and `process`; an options class without `run` names another, such as `lua`.
        max_in_flight: attempts that may wait at once in this daemon; None = the executor's limit.
        codes: what its failures may be called (`ActionError.code`), each with what happened and what to do about it,
            for `hostd explain CODE` and the action's page. `<word>` stands for what varies, as in `HTTP_<status>`. At
            most 200 codes of 100 characters, with 1,000 characters each to say what they mean.
    """

    effects: ClassVar[Effects] = "idempotent"
    executors: ClassVar[tuple[str, ...]] = ("inline",)
    max_in_flight: ClassVar[int | None] = None
    codes: ClassVar[Mapping[str, str]] = {}

    def run(self, ctx: ActionContext, options: OptionsT) -> Any:
        """Do the work: `async def` or plain `def`; returns a JSON value.

        Raises:
            ActionError: a failure in the action's own words. Anything else is ACTION_RAISED, which is retryable.
        """
        raise NotImplementedError


def check_action(action: type[Action[Any]]) -> None:
    """Raise HostdError PLUGIN_FAILED when effects, executors and `run` do not fit each other."""
    name = action.__qualname__
    if action.effects not in get_args(Effects):
        raise refuse(f"{name}.effects is {action.effects!r}; it is one of {', '.join(get_args(Effects))}")
    executors: Any = action.executors
    if not isinstance(executors, tuple) or not executors or not set(executors) <= EXECUTORS:
        raise refuse(f"{name}.executors is {executors!r}; it is a tuple of {', '.join(sorted(EXECUTORS))}")
    limit: Any = action.max_in_flight
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise refuse(f"{name}.max_in_flight is {limit!r}; it is a count from 1, or None")
    fault = fault_of_codes(action.codes)
    if fault:
        raise refuse(f"{name}.codes: {fault}")
    _check_run(action, name)


def fault_of_codes(codes: Any) -> str:
    """Return what is wrong with the codes of an action's failures, nothing where they can be shown as they are."""
    if not isinstance(codes, Mapping):
        return "they are a mapping of codes such as CARD_DECLINED to what they mean"
    if len(codes) > CODES_MAX:
        return f"there are {len(codes)}; at most {CODES_MAX} are taken"
    for code, text in codes.items():
        if not isinstance(code, str) or not CODE.fullmatch(code) or len(code) > CODE_CHARS_MAX:
            return f"{code!r:.120} is no code such as CARD_DECLINED, of at most {CODE_CHARS_MAX} characters"
        if not isinstance(text, str) or not text.strip() or len(text) > MEANING_CHARS_MAX:
            return f"{code} needs to say what it means, in at most {MEANING_CHARS_MAX} characters"
    return ""


def _check_run(action: type[Action[Any]], name: str) -> None:
    by_host = set(action.executors) & RUN_BY_HOST
    if action.run is Action.run:
        if by_host:
            raise refuse(
                f"{name} has no run method; only an action for another executor, such as ('lua',), goes without"
            )
        return
    is_async = inspect.iscoroutinefunction(action.run)
    if is_async and "thread" in action.executors:
        raise refuse(f"{name}.run is async, which cannot run in the executor `thread`; use `inline`, or a plain def")
    if not is_async and "inline" in action.executors:
        raise refuse(
            f"{name}.run is a plain def and would block the daemon; use async def, or executors = ('thread', 'process')"
        )
