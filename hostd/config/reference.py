"""The reference page of the configuration, written from the models: `docs/reference/config.md`."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hostd.config.layers import PREFIX
from hostd.config.rooms import Config, is_live
from hostd.config.types import value_text

_HEAD = """# Configuration

One file, `hostd.yaml`: named by `--config`, else by `HOSTD_CONFIG`, else in the data folder. None is needed. Each key
is also an environment variable: `HOSTD_`, and the key with `__` for each dot. Flags win, then the environment, then
the file, then the default. Texts in the file may hold `${VAR}`, `${VAR:-default}` and `${VAR:?message}` (`$${` is a
literal `${`). Durations are written `500ms`, `10s`, `5m`, `1h30m`, `30d`; sizes `64KiB`, `32MiB`, `1GiB`; lists in a
variable with commas. A key that does not exist is refused, with its line and the nearest one that does.

`hostd config check` names every mistake at once, without a daemon. `hostd config reload`, and SIGHUP, read the
configuration again: keys with *yes* below take the new value at once, the others at the next start. A configuration
with a mistake changes nothing. `hostd config show --origin` says where each value comes from, `--running` what the
daemon holds. [How to configure](../how-to/configure.md).
"""


def config_reference() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, *_table("", Config)]
    return "\n".join(lines) + "\n"


def config_keys() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key that holds a value, dotted, in order."""
    yield from _keys("", Config)


def _keys(above: str, model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if is_room(field):
            yield from _keys(f"{above}{name}.", typing.cast("type[BaseModel]", field.annotation))
        else:
            yield above + name, field


def is_room(field: FieldInfo) -> bool:
    """Say whether a field holds a room of keys, not a value."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _table(above: str, model: type[BaseModel]) -> Iterator[str]:
    """Yield the table of one room, then those of the rooms inside it."""
    if above:
        yield f"## {above.rstrip('.')}\n\n{model.__doc__ or ''}\n"
    yield "| key | default | reload | |\n|---|---|---|---|"
    rooms = []
    for name, field in model.model_fields.items():
        if is_room(field):
            rooms.append((f"{above}{name}.", typing.cast("type[BaseModel]", field.annotation)))
        else:
            variable = PREFIX + (above + name).replace(".", "__").upper()
            reload = "yes" if is_live(field) else "restart"
            meaning = f"{field.description}{_range(field)} `{variable}`"
            yield f"| `{above}{name}` | {default_text(field)} | {reload} | {meaning} |"
    yield ""
    for prefix, room in rooms:
        yield from _table(prefix, room)


def default_text(field: FieldInfo) -> str:
    """Return the default as a person writes it, in Markdown; nothing where there is none."""
    value = field.default
    if value is PydanticUndefined or value is None:
        return ""
    if value in ((), {}):
        return "none"
    return f"`{value_text(value, field.metadata)}`"


def _range(field: FieldInfo) -> str:
    """Return ` One of ...` or ` From a to b.` where the field is bounded."""
    kind = field.annotation
    if typing.get_origin(kind) is typing.Literal:
        return f" One of {', '.join(f'`{arm}`' for arm in typing.get_args(kind))}."
    low = [mark.ge for mark in field.metadata if hasattr(mark, "ge")]
    high = [mark.le for mark in field.metadata if hasattr(mark, "le")]
    if not low or not high:
        return ""
    return f" From `{value_text(max(low), field.metadata)}` to `{value_text(min(high), field.metadata)}`."
