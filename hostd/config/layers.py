"""The four places a value can come from, laid over each other: flags, environment, file, default; and which one won."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from hostd.config.marked_yaml import Mark, Path, dotted, read_yaml
from hostd.config.rooms import Config
from hostd.config.variables import expand_variables
from hostd.errors.base import Violation

PREFIX = "HOSTD_"
# Read elsewhere: by clients, by secret providers; or put there by Kubernetes for a Service named `hostd`.
_OTHERS = re.compile(
    r"HOSTD_(CONFIG|ADDRESS|NAMESPACE|DEBUG|TLS_(CA|CERT|KEY)|TOKEN|TOKEN_FILE|SECRET_.*|SERVICE_(HOST|PORT).*|PORT(_.*)?)"
)


class Origin(NamedTuple):
    """Where a value came from: `flag --x`, `env HOSTD_X`, `FILE:LINE` or `default`."""

    text: str
    file: str = ""
    mark: Mark = (0, 0)


class Layer(NamedTuple):
    """Values of one source by their path, in the source's order, with origins; and its mistakes."""

    values: dict[Path, Any]
    origins: dict[Path, Origin]
    mistakes: list[Violation]


def file_layer(text: str, file: str, env: Mapping[str, str]) -> Layer:
    """Return what a configuration file says, its variables replaced."""
    marked = read_yaml(text, file=file)
    layer = Layer({}, {}, list(marked.mistakes))
    if marked.value is None or marked.mistakes:
        return layer
    if not isinstance(marked.value, dict):
        layer.mistakes.append(Violation("", "TYPE_INVALID", "the file must be a mapping of keys", "", file, 1, 1))
        return layer
    for path, mark in marked.marks.items():
        if path:
            layer.origins[path] = Origin(f"{file}:{mark[0]}", file, mark)
    for path, value in _leaves(marked.value, ()):
        if value is None and field_type(path) is not None:
            continue  # a key with nothing behind it, such as a room whose lines are all comments
        try:
            layer.values[path] = _expanded(value, env)
        except ValueError as error:
            layer.mistakes.append(
                Violation(dotted(path), "VARIABLE_INVALID", str(error), "", file, *marked.marks[path])
            )
    return layer


def _leaves(value: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what is not a mapping; a list is one value, an empty mapping too."""
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key), item


def _expanded(value: Any, env: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand_variables(value, env)
    if isinstance(value, list):
        return [_expanded(item, env) for item in value]
    if isinstance(value, dict):
        return {key: _expanded(item, env) for key, item in value.items()}
    return value


def env_layer(env: Mapping[str, str]) -> Layer:
    """Return what `HOSTD_A__B` variables say; an empty variable says nothing."""
    layer = Layer({}, {}, [])
    for name in sorted(env):
        if not name.startswith(PREFIX) or not env[name] or _OTHERS.fullmatch(name):
            continue
        path: Path = tuple(name[len(PREFIX) :].lower().split("__"))
        layer.origins[path] = Origin(f"env {name}")
        try:
            layer.values[path] = text_value(field_type(path), env[name])
        except ValueError as error:
            layer.mistakes.append(Violation(dotted(path), "VALUE_INVALID", f"{name}: {error}"))
    return layer


def flag_layer(flags: Mapping[str, Any]) -> Layer:
    """Return what the command line says; keys are dotted, such as `http.listen`; None means not given."""
    layer = Layer({}, {}, [])
    for name, value in flags.items():
        if value is not None:
            path: Path = tuple(name.split("."))
            layer.values[path] = value
            layer.origins[path] = Origin(f"flag --{name.replace('.listen', '').replace('.', '-').replace('_', '-')}")
    return layer


def field_type(path: Path) -> Any:
    """Return the declared type at a path, or None where nothing is declared."""
    kind: Any = Config
    for key in path:
        kind = plain_type(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(key))
            if field is None:
                return None
            kind = field.annotation
        elif typing.get_origin(kind) is dict:
            kind = typing.get_args(kind)[1]
        else:
            return None
    return plain_type(kind)


def plain_type(kind: Any) -> Any:
    """Return a type without `Annotated` and `| None`."""
    if typing.get_origin(kind) is typing.Annotated:
        return plain_type(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return plain_type(next(arm for arm in typing.get_args(kind) if arm is not type(None)))
    return kind


def text_value(kind: Any, text: str) -> Any:
    """Return the value that an environment variable's text means for a declared type.

    Raises:
        ValueError: the text begins like a list or mapping, but is none.
    """
    origin = typing.get_origin(kind)
    if origin is tuple and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if origin in (tuple, dict) or kind is Any or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        marked = read_yaml(text)
        if marked.mistakes:
            raise ValueError(marked.mistakes[0].message)
        return marked.value
    return text
