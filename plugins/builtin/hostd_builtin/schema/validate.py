"""`schema.validate`: a value against a JSON Schema that stands in the document."""

from __future__ import annotations

import asyncio
import functools
import importlib
import re
from typing import Any, Literal

from hostd.plugin import (
    Action,
    ActionContext,
    ActionError,
    Field,
    JsonValue,
    Options,
    ProvisionContext,
    dump_json,
    parse_json,
)
from hostd_builtin.schema.codes import CODES

FAULTS_MAX = 100
MESSAGE_CHARS_MAX = 300
SCHEMA_BYTES_MAX = 256 * 1024
PATTERN_BYTES = 1_000_000
QUICK_BYTES = 64 * 1024  # a value up to this size, and a schema, take well below a millisecond
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ELSEWHERE = re.compile(r"Resource '([^']*)' is not present")


class ValidateOptions(Options):
    """A value and a schema."""

    value: Any = Field(None, description="The value to check.", examples=["${{ steps.fetch.output.body }}"])
    schema_: dict[str, Any] | bool = Field(
        alias="schema",
        description="JSON Schema, draft 2020-12 unless `$schema` says otherwise; nothing outside of it is fetched.",
        code=True,
        examples=[{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}],
    )
    formats: bool = Field(True, description="Check `format` (date-time, email, uri, uuid, ...) too.")
    on_fault: Literal["fail", "output"] = Field(
        "fail", description="`fail`: the step fails with the faults in its details; `output`: they are its output."
    )


class Validate(Action[ValidateOptions]):
    """Checks a value and returns `{valid, value, faults}`."""

    id, since, stability, effects, executors = "schema.validate", "0.1", "stable", "none", ("inline",)
    codes = CODES

    async def provision(self, ctx: ProvisionContext) -> None:
        """Load the validator."""
        rs: Any = await asyncio.to_thread(importlib.import_module, "jsonschema_rs")
        self._compile = functools.lru_cache(maxsize=256)(functools.partial(_validator, rs))

    async def run(self, ctx: ActionContext, options: ValidateOptions) -> JsonValue:
        """Check.

        Raises:
            ActionError: SCHEMA_INVALID; VALUE_INVALID with every fault, up to 100, and its path in `details.faults`.
        """
        schema = dump_json(options.schema_)
        if len(schema) > SCHEMA_BYTES_MAX:
            raise ActionError(f"the schema has more than {SCHEMA_BYTES_MAX} bytes", code="SCHEMA_INVALID")
        if len(dump_json(options.value)) <= QUICK_BYTES:
            faults = self._faults(schema, options)
        else:
            faults = await asyncio.to_thread(self._faults, schema, options)
        if faults and options.on_fault == "fail":
            first = faults[0]
            where = f"{first['path']}: " if first["path"] else ""
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            told: list[JsonValue] = [dict(fault) for fault in faults]
            raise ActionError(
                f"{where}{first['message']}{more}", code="VALUE_INVALID", details={"faults": told, "count": len(told)}
            )
        return {"valid": not faults, "value": options.value, "faults": [dict(fault) for fault in faults]}

    def _faults(self, schema: bytes, options: ValidateOptions) -> list[dict[str, str]]:
        faults = []
        for error in self._compile(schema, options.formats).iter_errors(options.value):
            message = " ".join(str(error.message).split())[:MESSAGE_CHARS_MAX]
            rule = _path(error.schema_path)
            faults.append({"path": _path(error.instance_path), "message": message, "rule": rule})
            if len(faults) >= FAULTS_MAX:
                break
        return faults


def _validator(rs: Any, schema: bytes, formats: bool) -> Any:
    """Return a compiled schema; patterns run in linear time. Raises ActionError SCHEMA_INVALID."""
    patterns = rs.RegexOptions(size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES)
    try:
        return rs.validator_for(
            parse_json(schema), retriever=_refuse, pattern_options=patterns, validate_formats=formats
        )
    except (rs.ValidationError, rs.ReferencingError, ValueError) as error:
        message = str(getattr(error, "message", "") or error)
        elsewhere = _ELSEWHERE.search(message)
        if elsewhere:
            message = f"{elsewhere[1][:200]} is not fetched; write the schema out, under $defs"
        raise ActionError(" ".join(message.split())[:MESSAGE_CHARS_MAX], code="SCHEMA_INVALID") from None


def _refuse(uri: str) -> Any:
    raise ValueError(uri)


def _path(parts: list[str | int]) -> str:
    """Return `a.b[0]["odd key"]`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part[:80]}"]'
    return text
