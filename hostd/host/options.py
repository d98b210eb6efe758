"""What can be said of options before they are rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from hostd.host.expressions import OPTION_CONTEXT
from hostd.host.guard import PLUGIN_ERRORS
from hostd.plugin import Options
from hostd.plugin.option_reading import ACROSS_FIELDS, OptionFault, faults_of
from hostd.values.json_text import JsonValue

_PATH_PART = re.compile(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[\]]+)')


def check_literals(
    model: type[Options], options: Mapping[str, JsonValue], templated: Iterable[str]
) -> list[tuple[str, str]]:
    """Return the faults of each option that is literal, as (path, message).

    Unknown and missing keys at the top are somebody else's. Options and parts of options that hold an expression have
    no value yet and are skipped, and so is every check across fields while anything is templated.
    """
    open_paths = [_parts(path) for path in templated]
    try:
        model.__pydantic_validator__.validate_python(dict(options), context=OPTION_CONTEXT)
        return []
    except ValidationError as error:
        faults = faults_of(model, error, options)
    except PLUGIN_ERRORS as error:  # the fence; what an expression stands in for may be what the check cannot take
        return [] if open_paths else [("", f"the plugin cannot check these options: {type(error).__name__}")]
    return [(fault.path, _sentence(fault)) for fault in faults if _is_certain(fault, open_paths)]


def _sentence(fault: OptionFault) -> str:
    return f"{fault.message} ({fault.suggestion})" if fault.suggestion else fault.message


def _is_certain(fault: OptionFault, open_paths: list[list[str]]) -> bool:
    """Say whether a fault stands whatever the expressions will give."""
    parts = list(fault.parts)
    if len(parts) <= 1 and fault.kind in ("missing", "extra_forbidden"):
        return False  # reported with the keys
    for open_path in open_paths:
        if parts[: len(open_path)] == open_path:
            return False
        if open_path[: len(parts)] == parts and fault.kind in ACROSS_FIELDS:
            return False
    return True


def _parts(path: str) -> list[str]:
    return ["".join(groups) for groups in _PATH_PART.findall(path)]
