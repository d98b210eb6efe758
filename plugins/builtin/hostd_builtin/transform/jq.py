"""`transform.jq`: a jq program on a value, in a process of its own that can do nothing else."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from typing import Any

from hostd.plugin import (
    Action,
    ActionContext,
    ActionError,
    Duration,
    Field,
    HostdError,
    JsonValue,
    Kind,
    Options,
    ProvisionContext,
    dump_json,
    parse_json,
)
from hostd_builtin.shell.running import Ended, NotStarted, Order, run_program
from hostd_builtin.transform.codes import CODES_OF_JQ

CHILD = Path(__file__).with_name("jq_child.py")
EXACT = 2**53
OUTPUT_BYTES_MAX = 16 * 1024 * 1024
EXIT_PROGRAM, EXIT_OUTPUT = 3, 4
START_S = 10.0  # for the process itself, beside what the program may take


class JqOptions(Options):
    """A value and a program."""

    input: Any = Field(None, description="The value to work on.", examples=["${{ steps.fetch.output.body }}"])
    program: str = Field(
        description="The jq program.",
        code=True,
        min_length=1,
        max_length=64 * 1024,
        examples=[".items | map(.price) | add"],
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="Values that the program reads as `$name`.", max_length=64
    )
    results: str = Field(
        "one",
        description="`one`: the program gives exactly one value; `first`; `all`: a list.",
        pattern="^(one|first|all)$",
    )
    timeout: Duration = Field("5s", description="CPU time of the program; then it is ended.", ge="1s", le="1m")
    max_memory: int = Field(
        256 * 1024 * 1024,
        description="Bytes of memory it may take.",
        ge=64 * 1024 * 1024,
        le=2 * 1024**3,
        advanced=True,
    )


class Jq(Action[JqOptions]):
    """Runs a jq program on a value and returns what it gives."""

    id, since, stability, effects, executors = "transform.jq", "0.1", "beta", "none", ("inline",)
    codes = CODES_OF_JQ
    max_in_flight = 4

    async def provision(self, ctx: ProvisionContext) -> None:
        """See that jq is there; it is loaded in the process that runs it."""
        if importlib.util.find_spec("jq") is None:
            raise HostdError(Kind.MISSING, "PLUGIN_FAILED", "transform.jq needs the package jq: install hostd[jq]")

    async def run(self, ctx: ActionContext, options: JqOptions) -> JsonValue:
        """Run the program.

        Raises:
            ActionError: JQ_FAILED, JQ_LIMIT, JQ_RESULTS, NUMBER_INEXACT, TOO_LARGE, OUTPUT_INVALID.
        """
        _check_exact([options.input, options.args])
        timeout_s = options.timeout.total_seconds()
        order: dict[str, JsonValue] = {
            "program": options.program,
            "args": options.args,
            "input": dump_json(options.input).decode(),
            "cpu_s": round(timeout_s),
            "memory_bytes": options.max_memory,
            "output_bytes": OUTPUT_BYTES_MAX,
        }
        try:
            ended = await run_program(
                Order(
                    program=sys.executable,
                    arguments=["-I", str(CHILD)],
                    env={"LANG": "C.UTF-8"},
                    stdin=dump_json(order),
                    timeout_s=timeout_s + START_S,
                    kill_after_s=0,
                    output_bytes=OUTPUT_BYTES_MAX + 64 * 1024,
                )
            )
        except NotStarted as error:
            raise ActionError(f"jq cannot be started: {error}", code="JQ_FAILED", retryable=True) from None
        return _results(options, ended)


def _check_exact(value: JsonValue) -> None:
    """Refuse whole numbers that jq, which counts in floats, would change silently."""
    waiting: list[JsonValue] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, int) and abs(one) > EXACT:
            message = "jq counts in floats and would change whole numbers past 2^53; hand them over as text"
            raise ActionError(message, code="NUMBER_INEXACT")


def _results(options: JqOptions, ended: Ended) -> JsonValue:
    why = ended.stderr.data.decode("utf-8", "replace").strip()[:1_000]
    if ended.timed_out or ended.signal in (signal.SIGXCPU, signal.SIGKILL):
        message = f"the program took more than {options.timeout.total_seconds():g} s of CPU time and was ended"
        raise ActionError(message, code="JQ_LIMIT")
    if ended.exit_code == EXIT_OUTPUT or ended.stdout.truncated:
        raise ActionError(f"the program gives more than {OUTPUT_BYTES_MAX} bytes", code="TOO_LARGE")
    if ended.exit_code == EXIT_PROGRAM and why:
        raise ActionError(why, code="JQ_FAILED")
    if ended.signal or ended.exit_code:
        message = f"the program could not go on within {options.max_memory} bytes of memory"
        raise ActionError(message, code="JQ_LIMIT")
    try:
        found: Any = parse_json(ended.stdout.data)
    except HostdError as error:
        raise ActionError(f"what jq gives: {error.message}", code="OUTPUT_INVALID") from None
    if options.results == "all":
        return list(found)
    if not found or (options.results == "one" and len(found) != 1):
        message = f"the program gives {len(found)} values; `results: all` takes them as a list"
        raise ActionError(message, code="JQ_RESULTS")
    value: JsonValue = found[0]
    return value
