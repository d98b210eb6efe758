"""What an expression may read where it stands, and what it was found to read."""

from __future__ import annotations

import difflib

from hostd.definition.expressions.problems import Mistake

STEP_FIELDS = ("output", "state", "result", "error", "attempts")

_MEANT = {
    "inputs": "input",
    "outputs": "steps.<id>.output",
    "step": "steps.<id>",
    "needs": "steps.<id>",
    "secret": "secrets.<name>",
    "var": "vars",
    "None": "null",
    "nil": "null",
    "none": "null",
    "undefined": "null",
    "True": "true",
    "False": "false",
    "TRUE": "true",
    "FALSE": "false",
    "trigger": "event",
    "github": "run",
    "workflow": "run.workflow",
    "self": "input",
    "this": "input",
}
_KINDS = frozenset(
    [
        "int",
        "uint",
        "double",
        "float",
        "string",
        "bool",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "timestamp",
        "duration",
    ]
)


class Reads:
    """What an expression reads; collected while it is compiled."""

    def __init__(self) -> None:
        self.roots: set[str] = set()
        self.steps: set[str] = set()
        self.env: set[str] = set()
        self.status: set[str] = set()
        self.secrets: set[str] = set()


class Names:
    """The roots that have a value where the expression stands.

    Args:
        roots: their names; None = any name may be one (then `steps` and `env` are plain maps of the context).
    """

    __slots__ = ("roots",)

    def __init__(self, roots: frozenset[str] | None) -> None:
        self.roots = roots

    @property
    def plain(self) -> bool:
        """Whether the roots are simply given, not those of a workflow."""
        return self.roots is None

    def check(self, name: str, offset: int) -> None:
        """Raise Mistake when the name has no value here."""
        if self.roots is None or name in self.roots:
            return
        if name in _KINDS:
            raise Mistake(offset, f"`{name}` is not a value here", f"write type(x) == '{name}'")
        known = ", ".join(sorted(self.roots)) or "none"
        raise Mistake(offset, f"`{name[:80]}` has no value here; there are: {known}", self._meant(name))

    def _meant(self, name: str) -> str:
        roots = self.roots or frozenset()
        meant = _MEANT.get(name, "")
        if meant and (meant in ("null", "true", "false") or meant.partition(".")[0] in roots):
            return f"write {meant}"
        close = difflib.get_close_matches(name[:80], sorted(roots), n=1, cutoff=0.6)
        return f"did you mean {close[0]}?" if close else f"a text is written '{name[:40]}'"
