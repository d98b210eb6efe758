"""The conformance kit: what every plugin promises, checked without a daemon."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from hostd.plugin.component import Component
from hostd.plugin.options import Options
from hostd.plugin.registry import Registration
from hostd.plugin.testing.contexts import FakeProvisionContext
from hostd.plugin.testing.runners import load_plugin


async def check_plugin(module: Any) -> list[str]:
    """Return what is wrong with a plugin, one sentence each; an empty list means it conforms.

    Checked: it registers; every component and option is described; options have a JSON Schema, refuse unknown keys and
    accept their own examples; settings need nothing; components can be made twice, and closed before `provision`.
    """
    try:
        registry = load_plugin(module)
    except Exception as error:  # noqa: BLE001 a broken plugin is a finding
        return [f"the plugin does not load: {type(error).__name__}: {error}"]
    problems: list[str] = []
    for registration in registry.registrations:
        found = [*_descriptions(registration), *_options(registration.options), *_settings(registration)]
        found += await _life(registration)
        problems += [f"{registration.kind} {registration.id}: {problem}" for problem in found]
    return problems


def _descriptions(registration: Registration) -> list[str]:
    problems = []
    component = registration.component
    if not (component.__dict__.get("__doc__") or "").strip():
        problems.append("the class has no docstring; it is what lists and the docs page say")
    if not component.since:
        problems.append("`since` is empty; say the version that brought it")
    problems += [f"the option {name} has no description" for name in _undescribed(registration.options)]
    return problems


def _undescribed(model: type[BaseModel], inside: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        if not field.description:
            found.append(inside + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _undescribed(field.annotation, f"{inside}{name}.")
    return found


def _options(model: type[Options]) -> list[str]:
    problems = []
    try:
        model.model_json_schema(by_alias=True)
    except Exception as error:  # noqa: BLE001 pydantic raises many kinds
        problems.append(f"the options have no JSON Schema: {error}")
    if not _refuses_unknown(model):
        problems.append("unknown options are not refused; keep `extra='forbid'` of hostd.plugin.Options")
    for name, field in model.model_fields.items():
        for example in field.examples or []:
            written = field.alias or name
            problem = _example_problem(model, written, example)
            if problem:
                problems.append(f"the example {example!r} of {written} is not accepted: {problem}")
    return problems


def _refuses_unknown(model: type[Options]) -> bool:
    try:
        model.model_validate({"no_such_option_": 1})
    except ValidationError as error:
        return any(entry["type"] == "extra_forbidden" for entry in error.errors())
    return False


def _example_problem(model: type[Options], written: str, example: Any) -> str:
    if isinstance(example, str) and "${{" in example:
        return ""
    try:
        model.model_validate({written: example})
    except ValidationError as error:
        faults = [entry["msg"] for entry in error.errors() if entry["loc"][:1] == (written,)]
        return "; ".join(faults)
    return ""


def _settings(registration: Registration) -> list[str]:
    try:
        registration.settings()
    except ValidationError:
        return ["the settings need something; every one must have a default, for the operator may give none"]
    return []


async def _life(registration: Registration) -> list[str]:
    if registration.kind == "trigger":
        return []  # one instance per configured trigger: it needs options
    problems = []
    instances: list[Component] = []
    try:
        instances = [registration.component(), registration.component()]
    except Exception as error:  # noqa: BLE001 a finding
        problems.append(f"it cannot be constructed: {type(error).__name__}: {error}")
    for instance in instances[:1]:
        try:
            instance.settings = registration.settings()
            await instance.close()
            await instance.provision(FakeProvisionContext(component=registration.id))
            instance.validate()
            await instance.close()
            await instance.close()
        except Exception as error:  # noqa: BLE001 a finding
            problems.append(f"provision and close fail with default settings: {type(error).__name__}: {error}")
    return problems
