"""Writes hostd/client/errors.py: a class for each reason. `make proto` runs this; it needs the standard library only.

python clients/python/error_classes.py
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "hostd/client/errors.py"
WIDTH = 120
HEAD = '''"""A class for each reason, below the class of its kind: `except errors.RunMissing`, `except errors.NotFound`.

Every one is a HostdError, with `reason`, `message`, `fields` (faults in what was sent), `retry_after` (seconds),
`metadata` and `help`. A reason that this version does not know has the class of its kind.

Written by clients/python/error_classes.py from hostd/errors/reasons.py (`make proto`); never edited.
"""

from __future__ import annotations

'''


def error_module() -> str:
    """Return the text of hostd/client/errors.py. Raises SystemExit where two classes would have one name."""
    sys.path.insert(0, str(ROOT))
    from hostd.client.error_kinds import KINDS, class_name
    from hostd.errors.reasons import REASONS

    above = {kind: base.__name__ for kind, base in KINDS.items()}
    names = {class_name(reason) for reason in REASONS}
    taken = names & {*above.values(), "ClientError", "RunUnsuccessful"}
    if taken or len(names) != len(REASONS):
        raise SystemExit(f"two classes of hostd.client.errors would have one name: {sorted(taken)}")
    imports = sorted({*above.values(), "ClientError", "RunUnsuccessful"})
    base = "from hostd.errors.base import HostdError as HostdError\n"
    parts = [HEAD, *(f"from hostd.client.error_kinds import {name} as {name}\n" for name in imports), base]
    for reason, page in REASONS.items():
        parts.append(f"\n\nclass {class_name(reason)}({above[page.kind]}):\n{_docstring(page.what, page.fix)}")
    return "".join(parts)


def _docstring(what: str, fix: str) -> str:
    """Return a docstring, indented, no line longer than WIDTH."""
    text = f"{what}\n\n{fix}"
    if text.endswith('"'):
        text += " "
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, WIDTH - 8) or [""]]
    mark = 'r"""' if "\\" in text else '"""'
    body = "\n".join(f"    {line}".rstrip() for line in lines)
    return f'    {mark}{body.lstrip()}\n    """\n'


if __name__ == "__main__":
    TARGET.write_text(error_module(), encoding="utf-8")
