"""What to write instead: rules that turn a name or value that is not taken into one that is."""

from __future__ import annotations

import re
from collections.abc import Callable

from hostd.errors.reasons import REASONS

SYNONYMS = {
    "action": "uses",
    "type": "uses",
    "use": "uses",
    "run": "uses",
    "params": "with",
    "config": "with",
    "options": "with",
    "args": "with",
    "when": "if",
    "condition": "if",
    "depends_on": "needs",
    "depends": "needs",
    "dependencies": "needs",
    "after": "needs",
    "requires": "needs",
    "retries": "retry",
    "continue_on_error": "on_error: continue",
    "timeout_minutes": "timeout",
    "timeout_seconds": "timeout",
    "max_retries": "max_attempts",
    "attempts": "max_attempts",
    "maximum_attempts": "max_attempts",
    "maximum_interval": "max_interval",
    "interval": "initial_interval",
    "delay": "initial_interval",
    "coefficient": "backoff_coefficient",
    "backoff": "backoff_coefficient",
    "non_retryable_error_types": "non_retryable",
    "on": "triggers",
    "trigger": "triggers",
    "jobs": "steps",
    "tasks": "steps",
    "nodes": "steps",
    "id": "workflow",
    "name": "workflow",
    "input": "inputs",
    "outputs": "output",
    "result": "output",
    "variables": "vars",
    "on_failure": "failure",
    "on_success": "success",
    "always": "exit",
    "finally": "exit",
}
HANDLERS = frozenset({"success", "failure", "exit"})
ELSEWHERE = {
    ("handler", "needs"): "leave it out: a handler runs when every step has ended, and may read all of them",
    ("workflow", "schedule"): "write triggers: {clock: {uses: cron.schedule, with: {cron: ...}}}",
    ("workflow", "cron"): "write triggers: {clock: {uses: cron.schedule, with: {cron: ...}}}",
    ("workflow", "params"): "did you mean inputs?",
    ("workflow", "parameters"): "did you mean inputs?",
    (
        "workflow",
        "env",
    ): "a program's variables stand in its step, with: {env: {...}}; values for all steps are vars",
}
"""What to write instead of a key, by what it stands in."""


_WORDED = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+)\.?(?:\s*,?\s*(?:and\s+)?)", re.IGNORECASE)
_UNITS = {
    "ms": ("milliseconds", "millis", "msec", "msecs", "millisecond"),
    "s": ("seconds", "second", "secs", "sec"),
    "m": ("minutes", "minute", "mins", "min"),
    "h": ("hours", "hour", "hrs", "hr"),
    "d": ("days", "day"),
    "w": ("weeks", "week"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in (unit, *words)}


def propose_duration(text: str) -> str:
    """Return a suggestion for a duration that cannot be read: a number alone, or units in words; else an empty text."""
    text = text.strip()[:200]
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return f"write {text}s for seconds"
    parts = [(number, _UNIT_OF.get(word.lower(), "")) for number, word in _WORDED.findall(text)]
    if not parts or not all(unit for _, unit in parts) or _WORDED.sub("", text):
        return ""
    return "write " + "".join(number + unit for number, unit in parts)


def propose(rule: str, text: str) -> str:
    """Return a suggestion for a text that does not fit, or an empty text. `rule` names one of the rules below."""
    make = _RULES.get(rule)
    better = make(text[:200]) if make else ""
    return f"write {better}" if better and better != text else ""


def _id(text: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return _trimmed(re.sub(r"[^a-z0-9]+", "_", snake.lower()), "_")


def _name(text: str) -> str:
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return _trimmed(re.sub(r"[^a-z0-9]+", "-", kebab.lower()), "-")


def _trimmed(text: str, filler: str) -> str:
    text = text.strip(filler)
    if text and not text[0].isalpha():
        text = f"n{filler}{text}"
    return text[:63].rstrip(filler)


def _version(text: str) -> str:
    found = re.fullmatch(r"\s*v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?\s*", text)
    return ".".join(str(int(part or 0)) for part in found.groups()) if found else ""


def _component(text: str) -> str:
    parts = [_id(part) for part in re.split(r"[./:]", text)]
    return ".".join(parts) if len(parts) > 1 and all(parts) else ""


def _rule(text: str) -> str:
    if text.startswith("code:"):
        return ""
    reason = _id(text).upper()
    return reason if reason in REASONS else f"code:{text.strip()}"


def _target(text: str) -> str:
    name, at, version = text.partition("@")
    workflow = _name(name)
    if not workflow:
        return ""
    return f"{workflow}@{_version(version) or 'active'}" if at else f"{workflow}@active"


_RULES: dict[str, Callable[[str], str]] = {
    "id": _id,
    "name": _name,
    "version": _version,
    "component": _component,
    "rule": _rule,
    "target": _target,
}
