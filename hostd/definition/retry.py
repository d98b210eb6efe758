"""`retry` of a step to a RetryPlan, with the rules that hold between its fields."""

from __future__ import annotations

from hostd.definition.fit import Part
from hostd.definition.formulas import Formulas
from hostd.definition.mistakes import Mistakes
from hostd.definition.plan import RetryPlan
from hostd.errors.base import Kind
from hostd.errors.reasons import REASONS
from hostd.values.durations import MAX_MS, format_duration_ms

DEFAULT_INTERVAL_MS = 1_000
MAX_INTERVAL_FACTOR = 100
_CODE = "code:"


def retry_plan(part: Part | None, formulas: Formulas, allowed: frozenset[str]) -> RetryPlan | None:
    """Return the plan of a `retry`, None when there is none (one attempt)."""
    if part is None:
        return None
    initial_ms = part.get("initial_interval", DEFAULT_INTERVAL_MS)
    rules = [item.value for item in part.get("non_retryable", [])]
    return RetryPlan(
        max_attempts=part.get("max_attempts", 3),
        initial_interval_ms=initial_ms,
        backoff_coefficient=float(part.get("backoff_coefficient", 2)),
        max_interval_ms=part.get("max_interval", min(MAX_MS, MAX_INTERVAL_FACTOR * initial_ms)),
        jitter=float(part.get("jitter", 0.2)),
        non_retryable=_reasons(rules),
        non_retryable_codes=frozenset(rule[len(_CODE) :] for rule in rules if rule.startswith(_CODE)),
        condition=formulas.condition(part.part("if"), allowed),
        retry_on_lost=part.get("on_lost") == "retry",
    )


def check_retry(part: Part, mistakes: Mistakes) -> None:
    """Record what is wrong between the fields of one `retry`, wherever it stands."""
    initial_ms = part.get("initial_interval", DEFAULT_INTERVAL_MS)
    longest = part.part("max_interval")
    if longest is not None and longest.value < initial_ms:
        message = (
            f"max_interval ({format_duration_ms(longest.value)}) is shorter than"
            f" initial_interval ({format_duration_ms(initial_ms)})"
        )
        mistakes.add(longest.path, "VALUE_INVALID", message, "raise max_interval, or leave it out", node=longest.node)
    for item in part.get("non_retryable", []):
        if not item.value.startswith(_CODE) and item.value not in REASONS and item.value not in Kind.__members__:
            suggestion = (
                mistakes.did_you_mean(item.value, REASONS) or f"for an action's own word write code:{item.value}"
            )
            mistakes.add(item.path, "VALUE_INVALID", f"{item.value} is no reason of hostd", suggestion, node=item.node)


def _reasons(rules: list[str]) -> frozenset[str]:
    """Return the reasons that rules name: a kind, such as INVALID, stands for all its reasons."""
    named: set[str] = set()
    for rule in rules:
        if rule in REASONS:
            named.add(rule)
        elif not rule.startswith(_CODE):
            named.add(rule)
            named.update(reason for reason, page in REASONS.items() if page.kind == rule)
    return frozenset(named)


def check_endless(retry: Part, *, deadline: bool, path: str, mistakes: Mistakes) -> None:
    """Record that attempts without limit have no deadline either."""
    if retry.get("max_attempts") == 0 and not deadline:
        node = retry.part("max_attempts")
        message = "max_attempts: 0 is no limit, so a `deadline` is required"
        mistakes.add(path, "KEY_MISSING", message, "add `deadline: 1h`", node=node.node if node else retry.node)
