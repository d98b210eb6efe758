"""The JSON Schema of a webhook's data: compiled once, patterns in linear time, nothing fetched."""

from __future__ import annotations

from typing import Any

from hostd.plugin import JsonValue

FAULTS_MAX = 20
SCHEMA_BYTES_MAX = 1_000_000


def _refuse_remote(uri: str) -> Any:
    raise ValueError(f"{uri[:100]} is not fetched; write the schema out, under $defs")


def compile_schema(schema: Any) -> Any:
    """Return a validator. Raises ValueError naming what is wrong."""
    import jsonschema_rs

    patterns = jsonschema_rs.RegexOptions(size_limit=SCHEMA_BYTES_MAX, dfa_size_limit=SCHEMA_BYTES_MAX)
    try:
        return jsonschema_rs.validator_for(
            schema, retriever=_refuse_remote, pattern_options=patterns, validate_formats=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"this is no JSON Schema that can be used: {_shown(error)}") from None


def check_schema(schema: Any) -> None:
    """Refuse what cannot be compiled. Raises ValueError."""
    compile_schema(schema)


def faults(validator: Any, data: JsonValue) -> list[JsonValue]:
    """Return what is wrong with data, `{"path", "message"}` each, at most 20."""
    if validator.is_valid(data):
        return []
    found: list[JsonValue] = []
    for error in validator.iter_errors(data):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        found.append({"path": path.removeprefix(".")[:200], "message": _shown(error)})
        if len(found) >= FAULTS_MAX:
            break
    return found


def _shown(error: Any) -> str:
    text = " ".join(str(getattr(error, "message", error)).split())
    return text if len(text) <= 300 else text[:297] + "..."
