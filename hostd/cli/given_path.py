"""Paths on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class GivenPath(click.Path):
    """A path as it was given; an empty one is refused, which would else mean this folder: mostly an unset variable."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if isinstance(value, str) and not value.strip():
            self.fail("the path is empty; `.` is this folder", param, ctx)
        return super().convert(value, param, ctx)


GIVEN_PATH = GivenPath()
