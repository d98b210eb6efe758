"""From flags, environment and file to one checked configuration, or to every mistake in them at once."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from hostd.config.layers import Layer, Origin, env_layer, field_type, file_layer, flag_layer
from hostd.config.marked_yaml import Mark, Path, dotted
from hostd.config.rooms import Config
from hostd.config.types import OFF, parse_address, value_text
from hostd.errors.base import HostdError, Kind, Violation

FILE_NAME = "hostd.yaml"


class Loaded(NamedTuple):
    """A configuration, where each value came from (by dotted key; what is missing is a default), and its file.

    `marks` are line and column of what the file says.
    """

    config: Config
    origins: dict[str, str]
    file: FilePath | None
    marks: Mapping[str, Mark] = {}


def load_config(
    *, flags: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None, file: FilePath | None = None
) -> Loaded:
    """Return the configuration: flags win, then environment, then file, then default.

    Args:
        flags: by dotted key, such as `http.listen`; None stands for not given.
        env: the environment; the process's own when not given.
        file: what `--config` names; else `HOSTD_CONFIG`, else `<data>/hostd.yaml` where that exists.

    Raises:
        HostdError: CONFIG_INVALID with a violation for each mistake.
    """
    env = os.environ if env is None else env
    top, variables = flag_layer(flags or {}), env_layer(env)
    data = _data_folder(top, variables, env)
    path, text = _read_file(file, env, data)
    layers = [Layer({("data",): data}, {}, []), variables, top]
    if path is not None:
        layers.insert(1, file_layer(text, str(path), env))
    mistakes = [mistake for layer in layers for mistake in layer.mistakes]
    tree, origins = _merged(layers, mistakes)
    config = _validated(tree, origins, mistakes)
    if config is None or mistakes:
        raise _config_invalid(mistakes)
    config = config.model_copy(update={"data": config.data.expanduser().absolute()})
    leaves = {path for layer in layers for path in layer.values}
    marks = {dotted(key): origin.mark for key, origin in origins.items() if origin.file}
    return Loaded(config, {dotted(key): origins[key].text for key in origins if key in leaves}, path, marks)


def default_data_folder(env: Mapping[str, str]) -> FilePath:
    """Return where data lies when nobody says: the systemd unit's state directory, else the user's."""
    if state := env.get("STATE_DIRECTORY"):
        return FilePath(state.split(":")[0])
    base = env.get("XDG_DATA_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".local/share")
    return FilePath(base) / "hostd"


def _data_folder(top: Layer, variables: Layer, env: Mapping[str, str]) -> FilePath:
    given = top.values.get(("data",)) or variables.values.get(("data",))
    return FilePath(given).expanduser() if given else default_data_folder(env)


def _read_file(file: FilePath | None, env: Mapping[str, str], data: FilePath) -> tuple[FilePath | None, str]:
    """Return the file to use and its text; one that was named must be there, the one in the data folder need not."""
    named = file or (FilePath(env["HOSTD_CONFIG"]) if env.get("HOSTD_CONFIG") else None)
    path = named or data / FILE_NAME
    try:
        return path, path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if named is None:
            return None, ""
        raise _config_invalid([Violation("", "CONFIG_INVALID", f"{path} does not exist", _beside(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"{path} cannot be read: {what}"
        raise _config_invalid([Violation("", "CONFIG_INVALID", message)]) from None


def _beside(path: FilePath) -> str:
    """Return a suggestion: the file that is there with a name like it."""
    try:
        there = {entry.stem: entry for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml", ".json")}
    except OSError:
        return f"there is no folder {path.parent}"
    near = difflib.get_close_matches(path.stem, there, n=1)
    return f"did you mean {there[near[0]]}?" if near else "leave --config and HOSTD_CONFIG out to have none"


def _merged(layers: Iterable[Layer], mistakes: list[Violation]) -> tuple[dict[str, Any], dict[Path, Origin]]:
    """Lay later layers over earlier ones, key by key."""
    tree: dict[str, Any] = {}
    origins: dict[Path, Origin] = {}
    for layer in layers:
        for path, value in layer.values.items():
            origin = layer.origins.get(path, Origin("default"))
            parent = tree
            for key in path[:-1]:
                below = parent.setdefault(str(key), {})
                if not isinstance(below, dict):
                    mistakes.append(_violation(path, "TYPE_INVALID", f"`{key}` is a value, not a mapping", "", origin))
                    break
                parent = below
            else:
                parent[str(path[-1])] = value
                _place(path, origin, layer, origins)
    return tree, origins


def _place(path: Path, origin: Origin, layer: Layer, origins: dict[Path, Origin]) -> None:
    """Note where a value stands, and where what lies above and in it does; forget what it covers."""
    for key in [key for key in origins if key[: len(path)] == path]:
        del origins[key]
    origins[path] = origin
    near = (key for key in layer.origins if key[: len(path)] == path or path[: len(key)] == key)
    origins.update({key: layer.origins[key] for key in near})


def _validated(tree: dict[str, Any], origins: dict[Path, Origin], mistakes: list[Violation]) -> Config | None:
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        mistakes.extend(_mistake(fault, origins) for fault in faults)
        _look_at_the_rest(tree, [fault["loc"] for fault in faults], origins, mistakes)
        return None
    mistakes.extend(_across_keys(config, origins))
    return config


def _look_at_the_rest(
    tree: dict[str, Any], wrong: list[Path], origins: dict[Path, Origin], mistakes: list[Violation]
) -> None:
    """Find the mistakes across keys that what is wrong elsewhere would hide until it is mended."""
    for path in wrong:
        parent: Any = tree
        for key in path[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
        else:
            tree.pop(str(path[0]), None)  # inside a list: the value as a whole is left out
    with contextlib.suppress(ValidationError):
        mistakes.extend(_across_keys(Config.model_validate(tree), origins))


def _mistake(fault: Any, origins: dict[Path, Origin]) -> Violation:
    path: Path = fault["loc"]
    origin = _origin(path, origins)
    if fault["type"] == "extra_forbidden":
        near = _nearest(path) if not origin.text.startswith("env ") else _nearest_variable(path)
        suggestion = f"did you mean `{near}`?" if near else _keys_beside(path)
        return _violation(
            path, "KEY_UNKNOWN", f"`{dotted(path)}` is not a key of the configuration", suggestion, origin
        )
    message = _bound(path, fault) or _UNREADABLE.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    reason = "TYPE_INVALID" if fault["type"].endswith("_type") else "VALUE_INVALID"
    address = fault["type"] == "string_type" and path[-1] == "listen"
    suggestion = "write an address with its port, such as 127.0.0.1:7420" if address else ""
    return _violation(path, reason, f"`{dotted(path)}`: {message[:1].lower()}{message[1:]}", suggestion, origin)


_UNREADABLE = {
    "int_parsing": "this is not a whole number",
    "int_from_float": "this is not a whole number",
    "float_parsing": "this is not a number",
    "bool_parsing": "this is neither true nor false",
    "string_type": "this must be a text",
}


def _bound(path: Path, fault: Any) -> str:
    """Return what a value that is out of bounds is told, in the words it is written in: 64MiB, not 67108864."""
    arm, word = {"less_than_equal": ("le", "at most"), "greater_than_equal": ("ge", "at least")}.get(
        fault["type"], ("", "")
    )
    parent = field_type(path[:-1])
    if not arm or not (isinstance(parent, type) and issubclass(parent, BaseModel)):
        return ""
    field = parent.model_fields[str(path[-1])]
    bounds = [getattr(mark, arm) for mark in field.metadata if hasattr(mark, arm)]
    bound = min(bounds) if arm == "le" else max(bounds)
    return f"{word} {value_text(bound, field.metadata)} is allowed"


def _nearest(path: Path) -> str:
    """Return the dotted key a mistyped one probably means, or nothing."""
    parent = field_type(path[:-1])
    if not (isinstance(parent, type) and issubclass(parent, BaseModel)):
        return ""
    near = difflib.get_close_matches(str(path[-1]), list(parent.model_fields), n=1, cutoff=0.6)
    return dotted((*path[:-1], near[0])) if near else ""


def _nearest_variable(path: Path) -> str:
    """Return the variable that a mistyped one probably means: its parts are joined by two underscores."""
    parts = tuple("_".join(map(str, path)).split("_"))
    for at in range(1, len(parts)):
        meant = ("_".join(parts[:at]), "_".join(parts[at:]))
        if field_type(meant) is not None:
            return "HOSTD_" + "__".join(meant).upper()
    return _nearest(path)


def _keys_beside(path: Path) -> str:
    """Return which keys there are where one stands that is none, as far as they can be read at a glance."""
    parent = field_type(path[:-1])
    keys = list(parent.model_fields) if isinstance(parent, type) and issubclass(parent, BaseModel) else []
    where = f"`{dotted(path[:-1])}` has" if path[:-1] else "there are"
    return f"{where} {', '.join(keys)}" if 0 < len(keys) <= 20 else ""


def _origin(path: Path, origins: dict[Path, Origin]) -> Origin:
    """Return the origin of the value at a path, else of one below, else of the nearest above."""
    if path in origins:
        return origins[path]
    for key, origin in origins.items():
        if key[: len(path)] == path:
            return origin
    return _origin(path[:-1], origins) if len(path) > 1 else Origin("default")


def _violation(path: Path, reason: str, message: str, suggestion: str, origin: Origin) -> Violation:
    where = "" if origin.file or origin.text == "default" else f" ({origin.text})"
    return Violation(dotted(path), reason, message + where, suggestion, origin.file, *origin.mark)


def _across_keys(config: Config, origins: dict[Path, Origin]) -> Iterable[Violation]:
    """Yield the mistakes that only show when several keys are seen together."""
    tls = config.tls
    if (tls.certificate is None) != (tls.key is None):
        message = "`tls.certificate` and `tls.key` go together"
        yield _violation(("tls",), "VALUE_INVALID", message, "set both", _origin(("tls",), origins))
    if tls.client_ca is not None and tls.certificate is None:
        message = "`tls.client_ca` has no effect without `tls.certificate`"
        yield _violation(("tls", "client_ca"), "VALUE_INVALID", message, "", _origin(("tls",), origins))
    for path, address in ((("listen",), config.listen), (("http", "listen"), config.http.listen)):
        if address == OFF or parse_address(address).loopback or tls.certificate is not None or config.insecure:
            continue
        message = (
            f"`{dotted(path)}` {address} is reachable from other machines, and without TLS tokens travel in the clear"
        )
        yield _violation(path, "INSECURE_LISTEN", message, "set `tls`, or say --insecure", _origin(path, origins))


def _config_invalid(mistakes: list[Violation]) -> HostdError:
    mistakes = sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.column))
    first = mistakes[0]
    place = f"{first.file}:{first.line}: " if first.line else ""
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    suggestion = f"; {first.suggestion}" if first.suggestion else ""
    message = f"{place}{first.message}{suggestion}{more}"
    file = next((mistake.file for mistake in mistakes if mistake.file), "")
    details = {"file": file} if file else {}
    return HostdError(Kind.INVALID, "CONFIG_INVALID", message, violations=tuple(mistakes), details=details)
