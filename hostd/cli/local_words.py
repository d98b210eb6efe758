"""Pages of the words that are no keys: functions and roots of expressions, metrics, codes of failures, calls of the
control plane.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from hostd.cli.local_pages import Page, registry_here

_VARIES = re.compile(r"<[a-z_]+>")
_WRITTEN_AS_CODES = re.compile(r"(?:[A-Z0-9_]|<[a-z_]+>)+")
_SQLSTATE = "<sqlstate>"
_SUFFIXES = ("_bucket", "_count", "_sum", "_created")


class Told(NamedTuple):
    """What an action says of a code of its failures."""

    action: str
    code: str
    meaning: str


def word_pages(word: str, served: Iterable[Told] = ()) -> list[Page]:
    """Return the pages of a word. `served`: the codes of plugins that only a daemon knows."""
    found = (function_page(word), root_page(word), metric_page(word), *code_pages(word, served), *call_pages(word))
    return [page for page in found if page is not None]


def function_page(word: str) -> Page | None:
    """Return the page of a function of expressions; `size()` is `size`."""
    from hostd.definition.expressions.functions.catalogue import ALIASES, FAMILIES

    name = word.partition("(")[0]
    name = ALIASES.get(name, name)
    for family in FAMILIES:
        for function in family.functions:
            if function.name == name:
                expression, value = function.example
                also = [alias for alias, meant in ALIASES.items() if meant == name]
                return {
                    "kind": "function of expressions",
                    "name": name,
                    "call": function.usage,
                    "meaning": function.summary,
                    "example": f"{expression} is {value}" if value else expression,
                    "also": ", ".join(also),
                }
    return None


def root_page(word: str) -> Page | None:
    """Return the page of a name that expressions begin with, such as `event`."""
    from hostd.definition.roots import WHERE

    if word not in WHERE:
        return None
    return {"kind": "root of expressions", "name": word, "meaning": f"It can be read {WHERE[word]}."}


def metric_page(word: str) -> Page | None:
    """Return the page of a metric, also of its series such as `..._bucket`, with or without `hostd_` before it."""
    from hostd.telemetry.metrics import METRICS

    name = word if word.startswith("hostd_") else f"hostd_{word}"
    names = {name, *(name.removesuffix(ending) for ending in _SUFFIXES)}
    for metric in METRICS:
        if metric.name in names:
            return {
                "kind": f"metric ({metric.kind})",
                "name": metric.name,
                "meaning": f"{metric.what}.",
                "labels": ", ".join(metric.labels),
                "buckets": ", ".join(f"{bound:g}" for bound in metric.buckets),
            }
    return None


def code_pages(word: str, served: Iterable[Told] = ()) -> list[Page]:
    """Return what actions say of a code of their failures, one page each meaning."""
    code = word.removeprefix("code:")
    found: dict[tuple[str, str], list[str]] = {}
    for told in (*_told_here(), *served):
        if _is(code, told.code):
            found.setdefault((told.code, told.meaning), []).append(told.action)
    exact = {key: actions for key, actions in found.items() if key[0] == code} or found
    return [
        {"kind": "code of a failure", "name": known, "of": ", ".join(dict.fromkeys(actions)), "meaning": text}
        for (known, text), actions in exact.items()
    ]


def _told_here() -> Iterator[Told]:
    for entry in registry_here().actions.values():
        for code, meaning in entry.codes.items():
            yield Told(entry.id, code, meaning)


def like_a_code(word: str) -> bool:
    """Say whether a word is written as codes are, so that it is worth asking a daemon."""
    return word.startswith("code:") or bool(_WRITTEN_AS_CODES.fullmatch(word))


def _is(code: str, known: str) -> bool:
    """Say whether a code is one that an action names: `HTTP_503` is `HTTP_<status>`."""
    if known == _SQLSTATE:
        return known == code or bool(re.fullmatch(r"(?=.*\d)[0-9A-Z]{5}", code))
    pattern = "[A-Za-z0-9_]+".join(re.escape(part) for part in _VARIES.split(known))
    return code == known or bool(re.fullmatch(pattern, code))


# -- calls of the control plane


@cache
def _services() -> dict[str, Any]:
    """Return the services by name, each with the class whose methods say what its calls do."""
    import hostd.v1

    found = {}
    for module in pkgutil.iter_modules(hostd.v1.__path__):
        if not module.name.endswith("_service_pb2"):
            continue
        messages = importlib.import_module(f"hostd.v1.{module.name}")
        calls = importlib.import_module(f"hostd.v1.{module.name}_grpc")
        for name, service in messages.DESCRIPTOR.services_by_name.items():
            found[name] = (service, getattr(calls, f"{name}Servicer"))
    return found


def call_pages(word: str) -> list[Page]:
    """Return the page of a service, or of a call: StartRun, RunService.StartRun or hostd.v1.RunService/StartRun."""
    if not word.removeprefix("hostd.v1.")[:1].isupper() or word.isupper():
        return []
    said = word.removeprefix("hostd.v1.").replace("/", ".")
    pages = []
    for name, (service, texts) in _services().items():
        if said == name:
            pages.append(_service_page(name, service, texts))
        meant = (call for call in service.methods if said in (call.name, f"{name}.{call.name}"))
        pages += [_call_page(name, call, texts) for call in meant]
    return pages


def _service_page(name: str, service: Any, texts: Any) -> Page:
    keys = [
        {"key": call.name, "type": "", "required": False, "meaning": _doc(getattr(texts, call.name))}
        for call in service.methods
    ]
    return {"kind": "service", "name": name, "meaning": _doc(texts), "keys": keys}


def _call_page(service: str, call: Any, texts: Any) -> Page:
    sent, got = ("stream of " if streams else "" for streams in (call.client_streaming, call.server_streaming))
    return {
        "kind": "call",
        "name": f"{service}.{call.name}",
        "meaning": _doc(getattr(texts, call.name)),
        "takes": f"{sent}{call.input_type.name}: {_fields(call.input_type)}",
        "gives": f"{got}{call.output_type.name}: {_fields(call.output_type)}",
    }


def _fields(message: Any) -> str:
    return ", ".join(field.name for field in message.fields) or "nothing"


def _doc(what: Any) -> str:
    return " ".join((inspect.getdoc(what) or "").split())


def known_words() -> Iterator[str]:
    """Yield every word that has a page here, each code as it is declared."""
    from hostd.definition.expressions.functions.catalogue import FAMILIES
    from hostd.definition.roots import WHERE
    from hostd.telemetry.metrics import METRICS

    yield from (function.name for family in FAMILIES for function in family.functions)
    yield from WHERE
    yield from (metric.name for metric in METRICS)
    yield from (told.code for told in _told_here())
    for name, (service, _) in _services().items():
        yield name
        yield from (f"{name}.{call.name}" for call in service.methods)
