"""The audit: who did what to what, written in the append that holds the effect.

Records of a run carry their principal themselves; here stands what they do not say: what is done to workflows, triggers
and dead letters, and the deleting of runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hostd.journal.port import AuditRow
from hostd.runtime.ring.turn import Turn

AuditNote = Callable[..., None]
"""Called with the turn, and whatever the verb tells its notes beside it."""


def audit_row(namespace: str, principal: str, verb: str, resource: str, details: dict[str, str]) -> AuditRow:
    """Return a row. `verb` is one that authorization knows, such as `workflow.activate`; empty details are left out.

    Args:
        resource: what it was done to, without the namespace: `order`, `order/hook`, a run id, a number.
    """
    told = {name: value for name, value in details.items() if value}
    return AuditRow(namespace, principal, verb, resource, msgspec.json.encode(told) if told else b"")


def audited(
    namespace: str,
    principal: str,
    verb: str,
    resource: str,
    note: Callable[..., None] | None = None,
    **details: str,
) -> AuditNote:
    """Return a note that writes an audit row into the turn of the effect, and does what `note` does."""
    row = audit_row(namespace, principal, verb, resource, details)

    def write(turn: Turn, *told: Any) -> None:
        if note is not None:
            note(turn, *told)
        turn.batch.audit.append(row)

    return write
