"""Rendered options in, a model out, or every fault in them; and what the model says of itself: schema, sample, code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hostd.errors.base import HostdError, Kind, Violation
from hostd.plugin.guard import PLUGIN_ERRORS
from hostd.plugin.options import OptionNotSupported, Options
from hostd.values.json_text import JsonValue

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGE_CHARS_MAX = 500
VIOLATIONS_MAX = 100
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LEADING = re.compile(r"^\w+ should")
ACROSS_FIELDS = frozenset({"value_error", "assertion_error"})  # raised by validators that saw several fields


class OptionFault(NamedTuple):
    """One thing wrong with options; `path` is below them, empty for the whole; `parts` are its keys and indexes."""

    path: str
    parts: tuple[str, ...]
    kind: str
    message: str
    suggestion: str
    reason: str


def parse_options(model: type[Options], rendered: Any, *, owner: str, context: Mapping[str, Any] | None = None) -> Any:
    """Return the options as the model holds them. Pure: the same input gives equal options.

    Args:
        owner: id of the component, for the message.
        context: what validators are given, such as the language that expressions are checked with.

    Raises:
        HostdError: OPTION_INVALID (NOT_YET_SUPPORTED where that is all that is wrong) with every fault as a violation.
            No message repeats a value: it may be a secret.
    """
    data = {} if rendered is None else rendered
    try:
        return model.__pydantic_validator__.validate_python(data, context=context)
    except ValidationError as error:
        faults = faults_of(model, error, data)
    except PLUGIN_ERRORS as error:  # the fence; no text of the error: it could hold a secret
        message = f"{owner}: the plugin cannot check these options: {type(error).__name__}"
        raise HostdError(Kind.INVALID, "OPTION_INVALID", message) from None
    violations = tuple(Violation(fault.path, fault.reason, fault.message, fault.suggestion) for fault in faults)
    reasons = {fault.reason for fault in faults}
    reason = reasons.pop() if len(reasons) == 1 else "OPTION_INVALID"
    told = "; ".join(f"{fault.path or 'the options'}: {_told(fault)}" for fault in faults[:3])
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    kind = Kind.UNSUPPORTED if reason == "NOT_YET_SUPPORTED" else Kind.INVALID
    raise HostdError(kind, reason, f"{owner}: {told}{more}", violations=violations)


def _told(fault: OptionFault) -> str:
    """Return a fault with what would do instead; what is missing is named already."""
    return f"{fault.message} ({fault.suggestion})" if fault.suggestion and fault.kind != "missing" else fault.message


def faults_of(model: type[Options], error: ValidationError, data: Any) -> list[OptionFault]:
    """Return what pydantic found wrong with options, in our words, one fault a place."""
    faults: dict[str, OptionFault] = {}
    for entry in error.errors(include_url=False, include_input=False)[:VIOLATIONS_MAX]:
        parts = _place(entry["loc"], data, keep_last=entry["type"] in ("missing", "extra_forbidden"))
        path = _written_path(parts)
        message, suggestion = _words(model, entry, path)
        cause = entry.get("ctx", {}).get("error")
        reason = "NOT_YET_SUPPORTED" if isinstance(cause, OptionNotSupported) else "OPTION_INVALID"
        known = faults.get(path)
        if known is not None and known.message != message:  # the members of a union each complain
            message = f"{known.message}, or {message.removeprefix('should be ')}"[:MESSAGE_CHARS_MAX]
        faults[path] = OptionFault(path, tuple(map(str, parts)), entry["type"], message, suggestion, reason)
    return list(faults.values())


def _place(location: tuple[int | str, ...], data: Any, *, keep_last: bool) -> list[int | str]:
    """Return where a fault lies, without the names pydantic puts in for the members of unions."""
    parts: list[int | str] = []
    for at, part in enumerate(location):
        inside = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]
        elif not (keep_last and at == len(location) - 1):
            continue
        parts.append(part)
    return parts


def _written_path(parts: list[int | str]) -> str:
    """Return a place as documents' mistakes are written: `headers.accept`, `items[0]`, `["odd key"]`."""
    return "".join(_path_part(part, first=at == 0) for at, part in enumerate(parts))


def _path_part(part: int | str, *, first: bool) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if _PLAIN_KEY.fullmatch(part):
        return part if first else f".{part}"
    return f'["{part[:80]}"]'


def _words(model: type[Options], entry: Any, path: str) -> tuple[str, str]:
    """Return message and suggestion for one of pydantic's errors."""
    kind, message = entry["type"], entry["msg"]
    if kind == "missing":
        return "is required", f"add `{path}`"
    if kind == "extra_forbidden":
        import difflib  # only where somebody misspelt something

        names = option_names(model) if len(entry["loc"]) == 1 else []
        close = difflib.get_close_matches(str(entry["loc"][-1]), names, n=1)
        return "is no option", f"did you mean {close[0]}?" if close else ""
    if kind in ACROSS_FIELDS:
        message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind == "string_pattern_mismatch":
        return "does not have the form it must have", _hint(model, entry)
    return _LEADING.sub("should", message)[:MESSAGE_CHARS_MAX], ""


def _hint(model: type[Options], entry: Any) -> str:
    """Return what the option's description and example say, else the pattern."""
    for name, field in model.model_fields.items():
        if entry["loc"] == (_written(name, field),) and field.description:
            such_as = f" Such as {field.examples[0]}" if field.examples else ""
            return f"{field.description}{such_as}"
    return f"the pattern is {entry.get('ctx', {}).get('pattern', '')}"[:200]


def option_names(model: type[Options]) -> list[str]:
    """Return the names as documents write them."""
    return [_written(name, field) for name, field in model.model_fields.items()]


def _written(name: str, field: FieldInfo) -> str:
    return field.alias or name


def code_fields(model: type[Options]) -> frozenset[str]:
    """Return the names of the options that hold code."""
    return frozenset(
        _written(name, field)
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-code")
    )


def json_schema(model: type[Options]) -> dict[str, Any]:
    """Return the JSON Schema that editors, forms and the docs page use."""
    schema = model.model_json_schema(by_alias=True)
    return {"$schema": SCHEMA_DIALECT, **schema, "properties": schema.get("properties", {})}


def sample(model: type[Options]) -> dict[str, JsonValue]:
    """Return options as somebody might write them: what is required, and what has an example."""
    written: dict[str, JsonValue] = {}
    for name, field in model.model_fields.items():
        if field.examples:
            written[_written(name, field)] = field.examples[0]
        elif field.is_required():
            written[_written(name, field)] = _placeholder(field)
    return written


def _placeholder(field: FieldInfo) -> JsonValue:
    if field.default is not PydanticUndefined and isinstance(field.default, str | int | float | bool):
        return field.default
    simple: dict[Any, JsonValue] = {str: "text", int: 1, float: 1.5, bool: True}
    return simple.get(field.annotation)
