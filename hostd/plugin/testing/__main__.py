"""`python -m hostd.plugin.testing FOLDER`: what the conformance kit finds wrong with a plugin's folder, a line each."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hostd.plugin.loading import summary
from hostd.plugin.process.source import import_entry_point, import_folder
from hostd.plugin.testing.conformance import check_plugin

USAGE = "usage: python -m hostd.plugin.testing FOLDER | --entry-point MODULE[:ATTR]\n"


def main(arguments: list[str]) -> int:
    """Print each problem; return 0 where there is none, 1 where there is, 2 for wrong arguments."""
    entry_point = arguments[:1] == ["--entry-point"]
    if len(arguments) != 1 + entry_point:
        sys.stderr.write(USAGE)
        return 2
    try:
        if entry_point:
            module = import_entry_point(arguments[1])
        else:
            folder = Path(arguments[0]).absolute()
            module = import_folder(folder, folder.name)
        problems = asyncio.run(check_plugin(module))
    except (Exception, SystemExit) as error:  # noqa: BLE001 the fence: whatever it raises is the finding
        problems = [f"the plugin does not load: {summary(error)}"]
    for problem in problems:
        sys.stdout.write(" ".join(problem.split()) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
