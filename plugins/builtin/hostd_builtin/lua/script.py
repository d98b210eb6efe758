"""`lua.script`: the options of a script step. There is no `run` here: the executor `lua` runs it."""

from __future__ import annotations

from typing import Any

from hostd.plugin import Action, Field, Options

KIB, MIB = 1 << 10, 1 << 20


class ScriptLimits(Options):
    """Lower limits than the operator's for one script; what is left out stays."""

    cpu_ms: int | None = Field(None, description="CPU time of the whole run.", ge=10)
    wall_ms: int | None = Field(None, description="One stretch of computing between host calls.", ge=100)
    memory_bytes: int | None = Field(None, description="What Lua holds at once.", ge=4 * MIB)
    source_bytes: int | None = Field(None, description="The script's text.", ge=1)
    input_bytes: int | None = Field(None, description="The input's JSON text.", ge=2)
    output_bytes: int | None = Field(None, description="JSON text of the result.", ge=2)
    reply_bytes: int | None = Field(None, description="JSON text of each host call's reply.", ge=2)
    string_bytes: int | None = Field(None, description="One string made by a library function.", ge=KIB)
    pattern_bytes: int | None = Field(None, description="A pattern of find, match, gmatch or gsub.", ge=16)
    coroutines: int | None = Field(None, description="Coroutines created.", ge=0)
    host_calls: int | None = Field(None, description="Calls to the host.", ge=0)
    log_bytes: int | None = Field(None, description="Log lines.", ge=0)

    def given(self) -> dict[str, int]:
        """Return the limits that were written."""
        return self.model_dump(exclude_none=True)


class ScriptOptions(Options):
    """One script."""

    script: str = Field(
        description="Lua 5.4 source; sees `input`, returns one JSON value.",
        code=True,
        min_length=1,
        max_length=MIB,
        examples=["return {doubled = input.amount * 2}"],
    )
    input: Any = Field(None, description="Any JSON value; the script's `input`.", examples=[{"amount": 21}])
    limits: ScriptLimits | None = Field(None, description="Lower limits than the operator's.", advanced=True)


class Script(Action[ScriptOptions]):
    """Runs a script in a metered, sandboxed worker process. A lost script runs again from its start."""

    id, since, stability, effects, executors = "lua.script", "0.1", "stable", "idempotent", ("lua",)
