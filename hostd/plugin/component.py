"""What every component says about itself, and how its options class is found."""

from __future__ import annotations

import inspect
import re
from typing import Any, ClassVar, Literal, TypeAlias, get_args, get_origin

from hostd.errors.base import HostdError, Kind
from hostd.plugin.context import ProvisionContext
from hostd.plugin.options import Options

Stability: TypeAlias = Literal["stable", "beta", "experimental", "deprecated"]

ID = re.compile(r"[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}")
RESERVED_DOMAINS = frozenset({"flow", "hostd"})


class Component:
    """Life: construct (no effects) -> options parsed -> `provision` -> `validate` -> use -> `close`.

    Attributes:
        id: `<domain>.<name>`, unique per kind.
        since: version of the plugin that brought it.
        Settings: nested options class of the operator's settings (`plugins.settings.<plugin>`); optional.
        settings: the parsed settings, set before `provision`; the base `Options` where there is no such class.
    """

    id: ClassVar[str]
    since: ClassVar[str] = ""
    stability: ClassVar[Stability] = "experimental"
    Settings: ClassVar[type[Options]] = Options
    settings: Any = Options()

    async def provision(self, ctx: ProvisionContext) -> None:
        """Open what the component needs; import third-party packages here and say which extra to install."""

    def validate(self) -> None:
        """Raise when the provisioned component cannot work."""

    async def close(self) -> None:
        """Let go of everything; also called after a `provision` that failed half-way."""


def description_of(component: type[Component]) -> str:
    """Return the first sentence of a component's documentation."""
    text = " ".join((inspect.getdoc(component) or "").split())
    head, stop, _ = text.partition(". ")
    return head + "." if stop else text


def refuse(message: str) -> HostdError:
    """Return the error for a component that cannot be registered."""
    return HostdError(Kind.INVALID, "PLUGIN_FAILED", message)


def check_id(component: type[Component]) -> str:
    """Return a component's id. Raises HostdError PLUGIN_FAILED when it has none or a malformed one."""
    component_id = getattr(component, "id", None)
    if not isinstance(component_id, str) or not ID.fullmatch(component_id):
        raise refuse(f"{component.__qualname__}.id is {component_id!r}; an id is <domain>.<name>, such as greet.say")
    if component_id.partition(".")[0] in RESERVED_DOMAINS:
        raise refuse(f"{component.__qualname__}.id is {component_id!r}; that domain belongs to the engine")
    return component_id


def options_class(component: type[Component], base: type[Component]) -> type[Options]:
    """Return the `X` of `class Thing(Action[X])`, the plain `Options` where nothing is said.

    Raises:
        HostdError: PLUGIN_FAILED when it is not a subclass of `hostd.plugin.Options`, or one that nothing reads.
    """
    said = _said_options(component, base)
    if said is Options:
        _refuse_unread(component, base)
    return said


def _said_options(component: type[Component], base: type[Component]) -> type[Options]:
    for parent in component.__mro__:
        for generic in parent.__dict__.get("__orig_bases__", ()):
            origin, arguments = get_origin(generic), get_args(generic)
            if not (isinstance(origin, type) and issubclass(origin, base) and arguments):
                continue
            found = arguments[0]
            if isinstance(found, type) and issubclass(found, Options):
                return found
            if not hasattr(found, "__bound__"):  # a type variable is filled further down
                raise refuse(
                    f"{component.__qualname__} has options {found!r}; they must be a subclass of hostd.plugin.Options"
                )
    return Options


def _refuse_unread(component: type[Component], base: type[Component]) -> None:
    """Raise PLUGIN_FAILED for a nested `Options`, as `Settings` is one: nobody would read it."""
    found = getattr(component, "Options", None)
    if isinstance(found, type):
        name, kind = component.__qualname__, base.__name__
        raise refuse(
            f"nothing reads {name}.Options: move it out of the class and say `class {name}({kind}[{name}Options])`"
        )


def settings_class(component: type[Component]) -> type[Options]:
    """Return the nested `Settings`. Raises HostdError PLUGIN_FAILED when it is not an options class."""
    found: Any = component.Settings
    if not (isinstance(found, type) and issubclass(found, Options)):
        raise refuse(f"{component.__qualname__}.Settings must be a subclass of hostd.plugin.Options")
    return found
