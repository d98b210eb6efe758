"""What one expression may cost: every bound, and the account that keeps them while it is evaluated."""

from __future__ import annotations

import hashlib
from typing import Any

from hostd.definition.expressions.problems import TooMuch
from hostd.definition.plan import Scope

MAX_SOURCE_CHARS = 16_384
MAX_NESTING = 64  # brackets, calls, unary operators and conditions inside each other
MAX_DEPTH = 256  # levels of the syntax tree; a sum of 200 terms is 200 levels
MAX_NODES = 2_000  # an evaluation
MAX_RESULT_BYTES = 65_536
MAX_MADE_BYTES = 1_048_576  # texts, lists and maps made on the way, together
MAX_PATTERN_CHARS = 1_000

ITEM_BYTES = 8  # what a place in a list counts
_ITEMS_A_NODE = 64  # built-in functions walk this many items, or 1,024 characters, at the price of one node
_CHARS_A_NODE = 1_024


class Evaluation:
    """One evaluation on its way: its scope, what it may still spend, and the values of macro variables.

    `slots` holds one value a macro level; the compiler numbers the levels.
    """

    __slots__ = ("_draws", "_seed", "field_path", "made_left", "nodes_left", "scope", "slots")

    def __init__(self, scope: Scope, nodes_left: int, slots: int, field_path: str) -> None:
        self.scope = scope
        self.nodes_left = nodes_left
        self.made_left = MAX_MADE_BYTES
        self.slots: list[Any] | None = [None] * slots if slots else None
        self.field_path = field_path
        self._draws = 0
        self._seed: bytes | None = None

    def charge(self, nodes: int) -> None:
        """Spend nodes. Raises TooMuch when there are none left."""
        self.nodes_left -= nodes
        if self.nodes_left < 0:
            raise TooMuch(f"it needs more than {MAX_NODES} nodes, or more than the step's decision has left")

    def walk_items(self, count: int) -> None:
        """Spend what walking a list or map costs."""
        if count >= _ITEMS_A_NODE:
            self.charge(count // _ITEMS_A_NODE)

    def walk_chars(self, count: int) -> None:
        """Spend what reading a text costs."""
        if count >= _CHARS_A_NODE:
            self.charge(count // _CHARS_A_NODE)

    def make(self, size_bytes: int) -> None:
        """Account for a value about to be made. Call it before making: that is what keeps memory bounded."""
        self.made_left -= size_bytes
        if self.made_left < 0:
            raise TooMuch(f"the values it makes on the way pass {MAX_MADE_BYTES} bytes")

    def make_items(self, count: int) -> None:
        """Account for a list or map about to be made, and for the walk that makes it."""
        self.walk_items(count)
        self.make(count * ITEM_BYTES)

    def make_chars(self, count: int) -> None:
        """Account for a text about to be made."""
        self.walk_chars(count)
        self.make(count)

    def draw(self) -> bytes:
        """Return the next 16 random bytes of this field: the same whenever the field is rendered again."""
        if self._seed is None:
            self._seed = self.scope.seed(self.field_path)
        self._draws += 1
        counter = self._draws.to_bytes(8, "big")
        return hashlib.blake2b(counter, key=self._seed, digest_size=16).digest()
