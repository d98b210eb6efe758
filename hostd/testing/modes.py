"""One plugin, three ways to run it: the same cases give the same outcomes in each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hostd.errors.base import HostdError
from hostd.plugin.process.source import import_folder
from hostd.plugin.testing import check_plugin as check_module
from hostd.testing.data_folder import found_folder, is_python
from hostd.testing.stage import MODES, Outcome, Slots, Stage, on_stage
from hostd.values.json_text import JsonValue


class Case(NamedTuple):
    """One attempt, and what is expected of it. What is not said is only compared between the modes.

    Args:
        reason: of the failure, empty for a success.
        volatile: the output may differ from run to run.
        retry, timeout: as a step has them.
        name: for the sentences about it; else the action's id.
    """

    action: str
    options: Mapping[str, Any] = {}
    output: Any = ...
    reason: str = ""
    code: str = ""
    retry: Mapping[str, Any] | None = None
    timeout: str = ""
    volatile: bool = False
    name: str = ""


async def check_plugin(
    plugin: Path | str,
    cases: Sequence[Case] = (),
    *,
    modes: Sequence[str] = MODES,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return what is wrong with a plugin, one sentence each; an empty list means it conforms.

    What `hostd.plugin.testing.check_plugin` finds comes first; then every case runs in every mode on a real host, and
    what each trigger says of its slots, with the options of its sample, is compared.

    Args:
        plugin: its folder, or the id of one that is built in or installed.
        cases: what to try.
        settings, secrets, config: as of `on_stage`.
    """
    problems: list[str] = []
    if isinstance(plugin, Path):
        plugin = await asyncio.to_thread(found_folder, plugin)
    if isinstance(plugin, Path) and is_python(plugin):
        problems += await check_module(import_folder(plugin, plugin.name))
    first: dict[int, tuple[str, Outcome]] = {}
    slots: dict[str, tuple[str, Slots]] = {}
    for mode in modes:
        try:
            async with on_stage(plugin, mode=mode, settings=settings, secrets=secrets, config=config) as stage:
                problems += await _run(stage, mode, cases, first)
                problems += await _compare_slots(stage, mode, slots)
        except HostdError as error:
            problems.append(f"{mode}: {error.reason}: {error.message}")
    return problems


async def _run(stage: Stage, mode: str, cases: Sequence[Case], first: dict[int, tuple[str, Outcome]]) -> list[str]:
    problems = []
    for at, case in enumerate(cases):
        named = f"{case.name or case.action} ({mode})"
        try:
            outcome = await stage.attempt(case.action, case.options, retry=case.retry, timeout=case.timeout)
        except HostdError as error:  # the others may still be tried
            problems.append(f"{named}: {error.reason}: {_plainly(error)}")
            continue
        problems += [f"{named}: {problem}" for problem in _unexpected(case, outcome)]
        before = first.setdefault(at, (mode, outcome))
        if comparable(case, before[1]) != comparable(case, outcome):
            problems.append(f"{named}: {comparable(case, outcome)}; in mode {before[0]} {comparable(case, before[1])}")
    return problems


async def _compare_slots(stage: Stage, mode: str, first: dict[str, tuple[str, Slots]]) -> list[str]:
    """Return where triggers of the plugin say other slots than in the mode before."""
    problems = []
    registry = stage.core.host.registry
    for trigger in registry.trigger_ids():
        entry = registry.trigger(trigger)
        if entry is None or entry.plugin != stage.plugin:
            continue
        told = await stage.next_slots(trigger, entry.sample())
        before = first.setdefault(trigger, (mode, told))
        if before[1] != told:
            problems.append(f"slots of {trigger} ({mode}): {told}; in mode {before[0]} {before[1]}")
    return problems


def _plainly(error: HostdError) -> str:
    """Return what is wrong with a case, without the place in the document that was made of it."""
    return "; ".join(each.message for each in error.violations) or error.message


def _unexpected(case: Case, outcome: Outcome) -> list[str]:
    problems = []
    if outcome.reason != case.reason:
        problems.append(f"reason {outcome.reason or 'none'} ({outcome.message}); expected {case.reason or 'a success'}")
    if case.code and outcome.code != case.code:
        problems.append(f"code {outcome.code}; expected {case.code}")
    if case.output is not ... and outcome.output != case.output:
        problems.append(f"output {outcome.output!r:.200}; expected {case.output!r:.200}")
    return problems


def _places(details: Any) -> list[JsonValue]:
    violations = details.get("violations", []) if isinstance(details, dict) else []
    return [str(one.get("path")) for one in violations]


def comparable(case: Case, outcome: Outcome) -> tuple[Any, ...]:
    """Return what has to be the same in every mode: all but the moments of log lines."""
    lines = tuple(line.partition(" ")[2] for line in outcome.logs if "Traceback" not in line)
    kept = outcome._replace(logs=lines, output=None if case.volatile else outcome.output)
    if outcome.reason == "OPTION_INVALID":  # a schema's words are not a model's; the places are the same
        kept = kept._replace(message="", details=_places(outcome.details))
    return tuple(kept)
