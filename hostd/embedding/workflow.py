"""The builder: a workflow written in Python, which makes the same document that a person would write.

wf = Workflow("greet", inputs={"type": "object", "properties": {"name": {"type": "string"}}})
fetch = wf.step("fetch", http.request(url=f"https://names.example/{wf.input.name}"), timeout="5s")
say = wf.step("say", log.write(message=fetch.output.body), when=fetch.output.status == 200)
wf.output(fetch.output.body)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from hostd.definition.compile import compile_document
from hostd.definition.document import load_documents
from hostd.definition.mistakes import child_path
from hostd.definition.plan import Plan
from hostd.definition.ports import Catalogue, CodeCheck
from hostd.embedding.expressions import Expr
from hostd.embedding.needs import with_needs
from hostd.embedding.parts import UNSET, Part, Step, Usable, written
from hostd.embedding.places import Fault, Path, Place, Places, faults_error
from hostd.embedding.uses import OURS
from hostd.embedding.yaml_writing import yaml_text
from hostd.errors.base import HostdError
from hostd.plugin.function import caller
from hostd.values.json_text import JsonValue, normalize

PartT = TypeVar("PartT", bound=Part)
Schema = Mapping[str, Any] | type[BaseModel]


class Workflow:
    """A workflow that is being written. Nothing is checked before the whole is there; then every mistake is told at
    once, each with the Python line that made it.

    Attributes:
        name: of the workflow.
        input, vars, run, env, secrets, event, error, failure, failures: what expressions read; where each has a value
            is the same as in documents.
    """

    def __init__(
        self,
        name: str,
        *,
        version: Any = UNSET,
        description: Any = UNSET,
        labels: Any = UNSET,
        inputs: Schema = UNSET,
        signals: Mapping[str, Schema] = UNSET,
        defaults: Any = UNSET,
        timeout: Any = UNSET,
        cleanup_timeout: Any = UNSET,
        fail_fast: Any = UNSET,
        retention: Any = UNSET,
        permissions: Any = UNSET,
        **more: Any,
    ) -> None:
        """Begin a workflow; every key of a document is a keyword here.

        Args:
            inputs: JSON Schema of the run's input, or a pydantic model.
            signals: names, each with the schema of its data.
            more: other keys of documents, as they are written there.
        """
        self.name = name
        self._place = caller(OURS)
        self._places = Places(self._place)
        self._keys: dict[str, Any] = {"workflow": name}
        self._faults: list[Fault] = []
        whole = _Whole(self, ())
        whole._fill(
            {
                "version": version,
                "description": description,
                "labels": labels,
                "inputs": _schema(inputs),
                "signals": signals if signals is UNSET else {key: _schema(each) for key, each in signals.items()},
                "defaults": defaults,
                "timeout": timeout,
                "cleanup_timeout": cleanup_timeout,
                "fail_fast": fail_fast,
                "retention": retention,
                "permissions": permissions,
                **more,
            }
        )
        for root in ("input", "vars", "run", "env", "secrets", "event", "error", "failure", "failures"):
            setattr(self, root, Expr(root, simple=True))

    input: Expr
    vars: Expr
    run: Expr
    env: Expr
    secrets: Expr
    event: Expr
    error: Expr
    failure: Expr
    failures: Expr

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"

    # -- parts

    def step(
        self,
        id: str,  # noqa: A002 what documents call it
        use: Usable | None = None,
        *,
        needs: Any = UNSET,
        when: Any = UNSET,
        retry: Any = UNSET,
        timeout: Any = UNSET,
        deadline: Any = UNSET,
        on_error: Any = UNSET,
        executor: Any = UNSET,
        **more: Any,
    ) -> Step:
        """Add a step and return it. Steps whose output it reads it needs without being told.

        Args:
            needs: a step or several, as objects or ids.
            when: the step's `if`.
            more: other keys of a step, as documents have them (`name=`, `description=`).
        """
        step = self._new(("steps", id), Step)
        step._use(use)
        keys = {"needs": needs, "if": when, "retry": retry, "timeout": timeout, "deadline": deadline}
        step._fill({**keys, "on_error": on_error, "executor": executor, **more})
        return step

    def handler(self, kind: str, use: Usable | None = None, *, when: Any = UNSET, **more: Any) -> Step:
        """Add what runs at the end: `success`, `failure`, `cancel` or `exit`."""
        step = self._new(("handlers", kind), Step)
        step._use(use)
        step._fill({"if": when, **more})
        return step

    def trigger(
        self,
        name: str,
        use: Usable | None = None,
        *,
        when: Any = UNSET,
        input: Any = UNSET,  # noqa: A002 what documents call it
        key: Any = UNSET,
        signal: Any = UNSET,
        start: Any = UNSET,
        **more: Any,
    ) -> Part:
        """Add what starts runs; `wf.event` is what it brings."""
        trigger = self._new(("triggers", name), Part)
        trigger._use(use)
        trigger._fill({"if": when, "input": input, "key": key, "signal": signal, "start": start, **more})
        return trigger

    def var(self, name: str, value: Any) -> Expr:
        """Add a value that is computed once when the run starts; return how expressions read it."""
        self.put(("vars", name), value, caller(OURS))
        return Expr(f"vars.{name}", simple=True)

    def output(self, value: Any) -> None:
        """Say what the run returns when it has succeeded."""
        self.put(("output",), value, caller(OURS))

    def _new(self, path: tuple[str, str], kind: type[PartT]) -> PartT:
        group, name = path
        place = caller(OURS)
        if name in self._keys.get(group, {}):
            at = child_path(group, name)
            self._faults.append(Fault(at, "KEY_DUPLICATE", f"{at} is there already", "give it another name", place))
        self.put(path, {}, place)
        return kind(self, path)

    def put(self, path: Path, value: Any, place: Place) -> None:
        """Set a part, and remember where it was written."""
        holder = self._keys
        for key in path[:-1]:
            holder = holder.setdefault(key, {})
        try:
            holder[path[-1]] = normalize(written(value))
        except HostdError as error:
            text = child_path(".".join(path[:-1]), path[-1])
            self._faults.append(Fault(text, error.reason, error.message, "", place))
            holder[path[-1]] = None
        self._places.note(path, place)

    # -- the whole

    def to_document(self) -> dict[str, Any]:
        """Return the document, as JSON types.

        Raises:
            HostdError: DOCUMENT_INVALID where a value is none of JSON's types, or a name was given twice.
        """
        if self._faults:
            raise faults_error(self._faults, [])
        return self._document()

    def to_yaml(self) -> str:
        """Return the document as text. Raises as `to_document`."""
        return yaml_text(self.to_document())

    def plan(self, catalogue: Catalogue | None = None, code: CodeCheck | None = None) -> Plan:
        """Return the compiled plan: the same as that of the document's text. It blocks.

        Args:
            catalogue: the components of a host; without one, actions and their options are not checked.

        Raises:
            HostdError: DOCUMENT_INVALID with every mistake, each with the file and line that made it.
        """
        try:
            (document,) = load_documents(yaml_text(self._document()))
            plan = compile_document(document, catalogue=catalogue, code=code)
        except HostdError as error:
            raise self.placed(error) from None
        if self._faults:
            raise faults_error(self._faults, [])
        return plan

    def placed(self, error: HostdError) -> HostdError:
        """Return what was found wrong with the document's text with the lines of the program that wrote it."""
        return self._places.told(error, self._faults) if error.reason == "DOCUMENT_INVALID" else error

    def _document(self) -> dict[str, JsonValue]:
        return with_needs(self._keys)


class _Whole(Part):
    """The document's own keys."""


def _schema(given: Any) -> Any:
    """Return a JSON Schema; of a pydantic model its own."""
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.model_json_schema()
    return given
