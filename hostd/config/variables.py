"""`${VAR}`, `${VAR:-default}` and `${VAR:?message}` inside the texts of a parsed file; `$${` is a literal `${`.

Only parsed scalars are expanded, never raw text: a secret that holds `: ` or `#` cannot change the file's structure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_BODY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?", re.DOTALL)
MAX_EXPANDED = 1 << 20


def expand_variables(text: str, env: Mapping[str, str]) -> str:
    """Return the text with its variables replaced, once: what a variable holds is not expanded again.

    Raises:
        ValueError: a variable is missing, or the syntax is not one of the three forms.
    """

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        body = _BODY.fullmatch(found[1] or "")
        if body is None:
            raise ValueError(
                f"{found[0]!r} is not ${{NAME}}, ${{NAME:-default}} or ${{NAME:?message}}; `$${{` is a literal `${{`"
            )
        return _value(body[1], body[2], body[3] or "", env)

    expanded = _VARIABLE.sub(replace, text)
    if len(expanded) > MAX_EXPANDED:
        raise ValueError("the text is larger than 1 MiB once its variables are replaced")
    return expanded


def _value(name: str, form: str | None, rest: str, env: Mapping[str, str]) -> str:
    found = env.get(name)
    if form is None and found is not None:
        return found
    if found:
        return found
    if form == ":-":
        return rest
    if form == ":?":
        raise ValueError(rest or f"the environment variable {name} must be set")
    raise ValueError(f"the environment variable {name} is not set; `${{{name}:-default}}` gives it a default")
