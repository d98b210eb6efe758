"""What people write under `shell.run`, and what the operator permits."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator

from hostd.plugin import Duration, Field, Options

ARGUMENT_CHARS_MAX = 128 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_LOADERS = ("LD_", "DYLD_", "GLIBC_TUNABLES")
Argument = str | int | float | bool


def _whole(text: str) -> str:
    if "\x00" in text or len(text) > ARGUMENT_CHARS_MAX:
        raise ValueError(f"a text for a program holds no zero byte and at most {ARGUMENT_CHARS_MAX} characters")
    return text


class RunOptions(Options):
    """One program, and what it is given."""

    command: list[str] = Field(
        description="The program and its first arguments; never a shell's text. Literal: values go into `arguments`.",
        code=True,
        min_length=1,
        max_length=256,
        examples=[["git", "log", "--oneline", "--"]],
    )
    arguments: list[Argument] = Field(
        default_factory=list,
        description="Further arguments, each handed over as it is: nothing in them is split, expanded or run.",
        max_length=1024,
        examples=[["${{ input.path }}"]],
    )
    allow_options: bool = Field(
        False, description="Let `arguments` begin with `-`; without it such fail, unless `command` ends with `--`."
    )
    stdin: Any = Field(None, description="What the program reads: a text as it is, any other value as JSON.")
    env: dict[str, str] = Field(
        default_factory=dict, description="Environment variables; nothing of the daemon's is passed on.", max_length=256
    )
    cwd: str = Field(
        "",
        description="Folder to run in, within the operator's `roots`; without it the first of them.",
        max_length=4096,
    )
    timeout: Duration = Field("1m", description="After that it is ended.", gt="0s", le="24h")
    kill_after: Duration = Field(
        "5s", description="Time between SIGTERM and SIGKILL when it is ended.", ge="0s", le="20s", advanced=True
    )
    max_output: int = Field(
        1024 * 1024, description="Bytes kept of stdout, and of stderr; the rest is dropped.", ge=0, le=16 * 1024 * 1024
    )
    parse: Literal["text", "json", "lines"] = Field("text", description="How `stdout` is given.")
    success_codes: list[int] = Field([0], description="Exit codes that are success.", min_length=1, max_length=256)
    retryable_codes: list[int] = Field(
        default_factory=list, description="Exit codes of failures that may be tried again.", max_length=256
    )

    @field_validator("command")
    @classmethod
    def _is_a_command(cls, command: list[str]) -> list[str]:
        for part in command:
            _whole(part)
        if not command[0] or ("/" in command[0] and not command[0].startswith("/")):
            raise ValueError("the program is a name, or an absolute path")
        return command

    @field_validator("arguments")
    @classmethod
    def _are_whole(cls, arguments: list[Argument]) -> list[Argument]:
        for argument in arguments:
            _whole(str(argument))
        return arguments

    @field_validator("env")
    @classmethod
    def _are_variables(cls, env: dict[str, str]) -> dict[str, str]:
        for name, value in env.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is no name of an environment variable")
            if name.startswith(_LOADERS):
                raise ValueError(f"{name[:60]} would load code into the program before it is itself")
            _whole(value)
        return env


class ShellSettings(Options):
    """What the operator permits."""

    allow: bool | list[str] = Field(
        False,
        description=(
            "Whether workflows may run programs: false, true for every program, or the names or absolute paths of "
            "those they may run. One that runs others (`sh`, `env`, `python3`, `xargs`) permits everything."
        ),
        examples=[["git", "/usr/local/bin/report"]],
    )
    path: str = Field(
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        description="Where programs are looked for, and the PATH they get; absolute folders with `:` between them.",
    )
    roots: list[str] = Field(
        default_factory=list, description="Folders that programs may be run in; none = they run in `/`.", max_length=64
    )
    pass_env: list[str] = Field(
        default_factory=list,
        description="Names of the daemon's environment variables that are passed on.",
        max_length=64,
    )

    @field_validator("path")
    @classmethod
    def _is_absolute(cls, path: str) -> str:
        if not all(part.startswith("/") for part in path.split(":")):
            raise ValueError("`path` holds absolute folders only")
        return path
