"""From a case file to its cases; every mistake is reported, with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from hostd.definition.document import read_documents
from hostd.definition.fit import Part, fit
from hostd.definition.mistakes import Mistakes, child_path, document_invalid
from hostd.definition.nodes import Node, value_of
from hostd.errors.base import invalid
from hostd.testing.answers import Answer, Fails, Hangs, Returns
from hostd.testing.cases.case import NOT_SAID, Expected, Meanwhile, WorkflowCase
from hostd.testing.cases.grammar import ANSWER, CASE, CASE_FILE, CASES_MAX, MEANWHILE, STEP_EXPECTED, STEP_STATES
from hostd.testing.cases.matching import matcher_fault

SUFFIXES = (".test.yaml", ".test.yml")
ANSWERS_MAX = 10_000


def read_cases(file: Path) -> list[WorkflowCase]:
    """Return the cases of a file. Raises HostdError DOCUMENT_INVALID with all mistakes; ARGUMENT_INVALID."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{file} cannot be read: {error.strerror}") from None
    return cases_of(text, file)


def cases_of(text: bytes, file: Path) -> list[WorkflowCase]:
    """Return the cases of a file's text. Raises HostdError DOCUMENT_INVALID with all mistakes."""
    documents, faults = read_documents(text, file=str(file))
    faults = [*(fault for document in documents for fault in document.faults), *faults]
    mistakes = Mistakes(str(file))
    cases = _Reader(file, mistakes).cases(documents[0].root) if documents else []
    if len(documents) > 1:
        mistakes.add("", "SYNTAX_INVALID", "a case file is one document", node=documents[1].root)
    if faults or mistakes.found:
        raise document_invalid([*faults, *mistakes.found])
    return cases


class _Reader:
    def __init__(self, file: Path, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes

    def cases(self, root: Node) -> list[WorkflowCase]:
        if root.kind == "map" and "steps" in root.value and "cases" not in root.value:
            message = "this is a workflow; its cases stand in a file of their own beside it"
            named = f"`hostd workflow test {self._file.with_suffix(SUFFIXES[0])}` runs them"
            self._mistakes.add("cases", "KEY_MISSING", message, named, node=root)
            return []
        top = fit(root, CASE_FILE, "", self._mistakes)
        listed = top.part("cases") if top is not None else None
        if top is None or listed is None or listed.node.kind != "list":
            return []
        nodes = listed.node.value
        if not 0 < len(nodes) <= CASES_MAX:
            self._wrong(listed, f"there are {len(nodes)} cases; 1 to {CASES_MAX} can stand here")
            return []
        shared = self._shared(top)
        found = [self._case(node, f"cases[{at}]", top, shared) for at, node in enumerate(nodes)]
        cases = [case for case in found if case is not None]
        self._check_names(cases, nodes)
        return cases

    def _check_names(self, cases: list[WorkflowCase], nodes: list[Node]) -> None:
        seen: set[str] = set()
        for case, node in zip(cases, nodes, strict=False):
            if case.name in seen:
                self._mistakes.add("cases", "VALUE_INVALID", f"two cases are named {case.name}", node=node)
            seen.add(case.name)

    def _case(self, node: Node, path: str, top: Part, shared: Mapping[str, Any]) -> WorkflowCase | None:
        part = fit(node, CASE, path, self._mistakes)
        if part is None:
            return None
        own, home = self._shared(part), self._file.parent
        trigger, given = part.part("trigger"), part.part("input")
        if trigger is not None and given is not None:
            self._wrong(given, "`input` and `trigger` exclude each other: a trigger makes the run's input")
        return WorkflowCase(
            name=part.get("name", ""),
            file=self._file,
            line=node.line,
            workflow=home / top.get("workflow", ""),
            also=tuple(home / each for each in _texts(top.part("also"))),
            plugins=tuple(home / each for each in _texts(top.part("plugins"))),
            allow=tuple(_texts(top.part("allow"))),
            input=value_of(given.node) if given is not None else NOT_SAID,
            trigger=(trigger.get("name", ""), _value(trigger, "data", None)) if trigger is not None else None,
            start=own["start"] or shared["start"],
            secrets={**shared["secrets"], **own["secrets"]},
            env={**shared["env"], **own["env"]},
            mocks={**shared["mocks"], **own["mocks"]},
            meanwhile=self._meanwhile(part.part("at")),
            until_ms=part.get("until"),
            expected=self._expected(part.part("expect")),
        )

    def _shared(self, part: Part) -> dict[str, Any]:
        start = part.part("start")
        if start is not None and not _is_moment(start.value):
            self._wrong(start, f"{start.value} is no time with an offset; write 2026-03-28T12:00:00Z")
        mocks = part.part("mocks")
        return {
            "start": part.get("start", ""),
            "secrets": _named(part.part("secrets")),
            "env": _named(part.part("env")),
            "mocks": {name: self._answers(each) for name, each in mocks.value.items()} if mocks is not None else {},
        }

    # -- mocks

    def _answers(self, part: Part) -> tuple[Answer, ...]:
        script = part.part("script")
        if script is None:
            return tuple(self._answer(part))
        if any(part.wrote(key) for key in ("returns", "fails", "hangs", "after")):
            self._wrong(part, "`script` stands alone: each of its entries is a mock")
        nodes = script.node.value if script.node.kind == "list" else []
        if not 0 < len(nodes) <= ANSWERS_MAX:
            self._wrong(script, f"a script has 1 to {ANSWERS_MAX} entries")
            return ()
        return tuple(answer for at, node in enumerate(nodes) for answer in self._scripted(node, f"{script.path}[{at}]"))

    def _scripted(self, node: Node, path: str) -> Iterable[Answer]:
        part = fit(node, ANSWER, path, self._mistakes)
        if part is not None and part.wrote("script"):
            self._wrong(part, "a script holds no scripts")
            return
        if part is not None:
            yield from self._answer(part)

    def _answer(self, part: Part) -> Iterable[Answer]:
        said = [key for key in ("returns", "fails", "hangs") if part.wrote(key)]
        if len(said) != 1:
            self._wrong(part, "a mock says one of `returns`, `fails`, `hangs` and `script`")
            return
        after_s = part.get("after", 0) / 1000
        fails = part.part("fails")
        if said == ["returns"]:
            yield Returns(_value(part, "returns", None), after_s)
        elif said == ["hangs"]:
            yield Hangs()
        elif fails is not None:
            retry_ms = fails.get("retry_after")
            yield Fails(
                fails.get("code", ""),
                fails.get("message", "told to fail"),
                fails.get("retryable", False),
                retry_ms / 1000 if retry_ms is not None else None,
                _value(fails, "details", {}),
                after_s,
            )

    # -- what happens, and what is expected

    def _meanwhile(self, part: Part | None) -> tuple[Meanwhile, ...]:
        nodes = part.node.value if part is not None and part.node.kind == "list" else []
        found = []
        for at, node in enumerate(nodes):
            one = fit(node, MEANWHILE, child_path(part.path if part else "", at), self._mistakes)
            if one is None:
                continue
            verbs = [verb for verb in ("signal", "cancel", "terminate") if one.wrote(verb)]
            if len(verbs) != 1:
                self._wrong(one, "say one of `signal`, `cancel` and `terminate`")
                continue
            word, data = one.get(verbs[0], ""), _value(one, "data", None)
            found.append(Meanwhile(after_ms=one.get("after", 0), verb=verbs[0], word=word, data=data))
        return tuple(sorted(found, key=lambda each: each.after_ms))

    def _expected(self, part: Part | None) -> Expected:
        if part is None:
            return Expected()
        failure = part.part("failure")
        usual = "FAILED" if failure is not None else "SUCCEEDED"
        return Expected(
            state=part.get("state", usual),
            output=self._pattern(part, "output"),
            path=tuple(_texts(part.part("path"))) if part.wrote("path") else None,
            steps=self._steps(part.part("steps")),
            failure=self._mapping(failure) if failure is not None else {},
            refused=part.get("refused", ""),
            took_ms=part.get("took"),
            calls=self._calls(part.part("calls")),
        )

    def _steps(self, part: Part | None) -> dict[str, Mapping[str, Any]]:
        steps: dict[str, Mapping[str, Any]] = {}
        for name, each in (part.value if part is not None else {}).items():
            if each.node.kind == "text":
                if each.node.value not in STEP_STATES:
                    hint = self._mistakes.did_you_mean(each.node.value, STEP_STATES)
                    self._wrong(each, f"{each.node.value:.60} is not {' or '.join(STEP_STATES)}", hint)
                steps[name] = {"state": each.node.value}
            else:
                fitted = fit(each.node, STEP_EXPECTED, each.path, self._mistakes)
                steps[name] = self._mapping(fitted) if fitted is not None else {}
        return steps

    def _calls(self, part: Part | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, each in (part.value if part is not None else {}).items():
            found[name] = value_of(each.node)
            self._check_pattern(each.node, found[name], each.path)
        return found

    def _mapping(self, part: Part) -> dict[str, Any]:
        return {key: self._pattern(part, key) if each.value is None else each.value for key, each in part.value.items()}

    def _pattern(self, part: Part, key: str) -> Any:
        found = part.part(key)
        if found is None:
            return NOT_SAID
        value = value_of(found.node)
        self._check_pattern(found.node, value, found.path)
        return value

    def _check_pattern(self, node: Node, value: Any, path: str) -> None:
        fault = matcher_fault(value)
        if fault:
            self._mistakes.add(path, "VALUE_INVALID", fault, node=node)

    def _wrong(self, part: Part, message: str, hint: str = "") -> None:
        self._mistakes.add(part.path, "VALUE_INVALID", message, hint, node=part.node)


def _texts(part: Part | None) -> list[str]:
    return [each.value for each in part.value] if part is not None else []


def _named(part: Part | None) -> dict[str, str]:
    return {name: each.value for name, each in part.value.items()} if part is not None else {}


def _value(part: Part, key: str, default: Any) -> Any:
    found = part.part(key)
    return default if found is None else value_of(found.node)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
