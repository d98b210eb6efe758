"""Functions as actions: `@action` makes an action of a typed function, its options of the function's parameters.

@action("shop.price")
async def price(ctx, sku: str, amount: int = 1) -> dict:
    '''Return what an article costs.'''

It is registered like a class, `registry.action(price)`, by a plugin; a program that embeds hostd hands it to its host.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Mapping
from copy import copy
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Annotated, Any, Generic, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, PydanticUndefined, to_jsonable_python

from hostd.plugin.action import Action, Effects
from hostd.plugin.component import Stability, refuse
from hostd.plugin.context import ActionContext
from hostd.plugin.duration import Duration
from hostd.plugin.options import Field, Options

P = ParamSpec("P")
R = TypeVar("R")

CONTEXT = "ctx"
_HOLDERS = (Union, types.UnionType, list, dict, tuple, set, frozenset)
_PLAIN = (type(None), bool, int, float, str)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_ARGUMENT = re.compile(r"(?P<indent>\s+)(?P<name>\w+)(?: \([^)]*\))?: (?P<text>.+)")


class Use(NamedTuple):
    """An action and its options, as a step of a workflow has them. `place`: file and line that wrote it."""

    action: str
    options: Mapping[str, Any]
    place: tuple[str, int] = ("", 0)


class ActionFunction(Generic[P, R]):
    """What `@action` returns: call it as the function it was, hand it to a registry or a host, or use it in a step."""

    def __init__(self, function: Callable[P, R], component: type[Action[Any]]) -> None:
        self.id = component.id
        self.component = component
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self.__module__ = function.__module__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself; its result is as it returns it."""
        return self.__wrapped__(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<action {self.id} ({self.__module__}.{self.__qualname__})>"

    def step(self, **options: Any) -> Use:
        """Return the action with options, for a step of a workflow; values may be expressions."""
        return Use(self.id, options, caller())


def caller(ours: tuple[str, ...] = (__file__,)) -> tuple[str, int]:
    """Return file and line of the innermost code on the stack that lies in none of our files or folders."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(ours):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def action(
    id: str,  # noqa: A002 what it is called everywhere
    *,
    effects: Effects = "idempotent",
    max_in_flight: int | None = None,
    codes: Mapping[str, str] | None = None,
    since: str = "",
    stability: Stability = "experimental",
) -> Callable[[Callable[P, R]], ActionFunction[P, R]]:
    """Make an action of a function.

    Each parameter is an option of its name, checked as its annotation says (`Annotated[int, Field(ge=1)]` says more);
    one without a default is required. A first parameter `ctx` gets the ActionContext. `async def` runs on the host's
    loop, a plain `def` in a thread. A method is one once it is bound: `action("shop.price")(shop.price)`. What it
    returns becomes JSON: JSON's types, dataclasses, models, times, enums. It fails as every action does: `raise
    ActionError(...)`; anything else is ACTION_RAISED, which is retryable. The docstring is the documentation, its
    `Args:` that of the options.

    Args:
        id: `<domain>.<name>`.
        effects, max_in_flight, codes, since, stability: as of `Action`.

    Raises:
        HostdError: PLUGIN_FAILED for a function that cannot be one.
    """

    if not isinstance(id, str):
        raise refuse(f'@action needs an id: write @action("shop.price"), not {id!r:.80}')

    def make(function: Callable[P, R]) -> ActionFunction[P, R]:
        facts: dict[str, Any] = {"effects": effects, "max_in_flight": max_in_flight, "codes": codes or {}}
        facts |= {"since": since, "stability": stability}
        return ActionFunction(function, _component(function, id, facts))

    return make


def _component(function: Callable[..., Any], action_id: str, facts: dict[str, Any]) -> type[Action[Any]]:
    name = getattr(function, "__qualname__", repr(function))
    if (
        not (inspect.isfunction(function) or inspect.ismethod(function))
        or inspect.isasyncgenfunction(function)
        or inspect.isgeneratorfunction(function)
    ):
        raise refuse(f"{name} is no plain function; @action takes `def` and `async def` that return a value")
    hints = _hints(function, name)
    model, fields, has_context = _options(function, hints, name)
    body = {
        **facts,
        "__module__": function.__module__,
        "__qualname__": name,
        "__doc__": function.__doc__,
        "id": action_id,
        "executors": ("inline", "process") if inspect.iscoroutinefunction(function) else ("thread", "process"),
        "run": _run(function, fields, has_context),
    }
    made: type[Action[Any]] = types.new_class(function.__name__, (Action[model],), {}, lambda space: space.update(body))  # type: ignore[valid-type]
    return made


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise refuse(
            f"the annotations of {name} cannot be read: {error}; define the type at the module's level"
        ) from None


def _options(
    function: Callable[..., Any], hints: dict[str, Any], name: str
) -> tuple[type[Options], dict[str, str], bool]:
    """Return the options class, the parameter by the name of its field, and whether the first takes the context."""
    parameters = list(inspect.signature(function).parameters.values())
    has_context = bool(parameters) and _takes_context(parameters[0], hints)
    described = _described(inspect.getdoc(function) or "")
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    if parameters and parameters[0].name in ("self", "cls") and parameters[0].name not in hints:
        bound = f'action("...")({name.partition(".")[0].lower()}.{function.__name__})'
        raise refuse(f"{name} is a method; make the action where there is an object: {bound}")
    for parameter in parameters[has_context:]:
        if parameter.kind not in _NAMED:
            raise refuse(f"{name} takes {parameter}; options have names, so an action has plain parameters only")
        if parameter.name not in hints:
            raise refuse(f"the parameter {parameter.name} of {name} has no type; write `{parameter.name}: str`, or Any")
        field = _field_name(parameter.name, [*names, *(each.name for each in parameters)])
        hint = _with_duration_text(hints[parameter.name])
        _check_type(hint, f"the parameter {parameter.name} of {name}")
        names[field] = parameter.name
        fields[field] = (hint, _field(parameter, field, described.get(parameter.name, "")))
    title = "".join(part.capitalize() for part in function.__name__.split("_")) + "Options"
    model = create_model(title, __base__=Options, __module__=function.__module__, **fields)
    return model, names, has_context


def _takes_context(parameter: inspect.Parameter, hints: dict[str, Any]) -> bool:
    return parameter.name == CONTEXT or hints.get(parameter.name) is ActionContext


def _field_name(name: str, others: list[str]) -> str:
    """Return the name of a parameter's field: its own, unless a model cannot have a field of that name."""
    if not (hasattr(Options, name) or name.startswith("_")):
        return name
    field = f"{name.lstrip('_') or 'option'}_"
    while field in others:
        field += "_"
    return field


def _check_type(hint: Any, what: str) -> None:
    """Raise where no option can have a type: here somebody knows who wrote it, later it would fail the whole plugin."""
    try:
        TypeAdapter(hint)
    except PydanticUserError as error:
        why = str(error).partition("\n")[0].partition(" Set `arbitrary")[0]
        raise refuse(f"{what} has a type that is not read from a document: {why}; take dict, str or Any") from None


def _with_duration_text(hint: Any) -> Any:
    """Return a type in which each timedelta is read from duration text, as documents write it: `5s`."""
    if hint is timedelta:
        return Duration
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if get_args(Duration)[1] in inner:
            return hint
        return Annotated[(_with_duration_text(inner[0]), *inner[1:])]
    if origin not in _HOLDERS:
        return hint
    changed = tuple(_with_duration_text(each) for each in inner)
    if changed == inner:
        return hint
    return reduce(or_, changed) if origin in (Union, types.UnionType) else origin[changed]


def _field(parameter: inspect.Parameter, field: str, description: str) -> FieldInfo:
    default = PydanticUndefined if parameter.default is inspect.Parameter.empty else parameter.default
    alias = parameter.name if field != parameter.name else None
    if not isinstance(default, FieldInfo):
        made: FieldInfo = Field(default, description=description, alias=alias)
        return made
    if alias is not None:  # `json: int = Field(1, ge=1)`
        default = copy(default)
        default.alias = default.validation_alias = default.serialization_alias = alias
    return default


def _described(doc: str) -> dict[str, str]:
    """Return what the `Args:` of a docstring say, by parameter."""
    found: dict[str, str] = {}
    name, indent = "", ""
    for line in doc.partition("Args:\n")[2].split("\n"):
        if line.strip() and not line.startswith(" "):
            break  # the next section
        match = _ARGUMENT.fullmatch(line)
        if match and (not indent or match["indent"] == indent):
            name, indent = match["name"], match["indent"]
            found[name] = match["text"]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def _as_json(value: Any) -> Any:
    """Return what a function returned as JSON's types; what has none is left for the door, which names it."""
    if type(value) in _PLAIN:
        return value
    try:
        return to_jsonable_python(value, by_alias=True)
    except (PydanticSerializationError, ValueError, RecursionError):
        return value


def _run(function: Callable[..., Any], fields: dict[str, str], has_context: bool) -> Callable[..., Any]:
    """Return the action's `run`."""
    places = tuple(fields.items())

    def arguments(options: BaseModel) -> dict[str, Any]:
        return {name: getattr(options, field) for field, name in places}

    async def run_on_loop(self: Any, ctx: ActionContext, options: Any) -> Any:
        return _as_json(await function(*((ctx,) if has_context else ()), **arguments(options)))

    def run_in_thread(self: Any, ctx: ActionContext, options: Any) -> Any:
        return _as_json(function(*((ctx,) if has_context else ()), **arguments(options)))

    return run_on_loop if inspect.iscoroutinefunction(function) else run_in_thread
