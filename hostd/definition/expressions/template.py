"""Templates: value trees with `${{ }}` in their texts.

A text that is one expression keeps the expression's type. Inside text a value is rendered: texts as they are,
timestamps and durations as their text, everything else as JSON (null is `null`). `$${{` is the text `${{`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.definition.expressions.expression import CompiledExpression, compile_node, invalid_expression, violation
from hostd.definition.expressions.leaving import text_of
from hostd.definition.expressions.lexer import Token, tokenize
from hostd.definition.expressions.limits import MAX_RESULT_BYTES
from hostd.definition.expressions.names import Names
from hostd.definition.expressions.parser import parse
from hostd.definition.expressions.problems import Mistake, TooMuch
from hostd.definition.expressions.syntax import Name, Node, Select
from hostd.definition.mistakes import child_path
from hostd.definition.plan import Budget, Scope
from hostd.errors.base import HostdError, Kind, Violation
from hostd.model.secrets import SecretRef, SecretText
from hostd.values.json_text import JsonValue

_OPEN = "${{"
KEY_IS_PLAIN = ("a key cannot hold an expression", "build the map in one: ${{ {'key': value} }}")

Part = str | SecretRef | CompiledExpression
Render = Callable[[Scope, Budget | None], Any]
Mark = Callable[[str], tuple[int, int]]


class CompiledTemplate:
    """A `Template` of definition.plan. Parts without expressions are shared by all that is rendered: never change them.

    `paths` are the fields that hold an expression, as in `url` or `headers.accept`; `reads_env` the names after `env.`.
    """

    __slots__ = (
        "_render",
        "literal",
        "paths",
        "reads_env",
        "reads_roots",
        "reads_steps",
        "secrets",
        "uses_status",
        "value",
    )

    def __init__(self, value: JsonValue, found: _Found, render: Render | None) -> None:
        self.value = value
        self.literal = render is None
        self._render = render
        self.paths = frozenset(found.paths)
        self.reads_steps: frozenset[str] = frozenset().union(*(one.reads_steps for one in found.expressions))
        self.reads_roots: frozenset[str] = frozenset().union(*(one.reads_roots for one in found.expressions))
        self.reads_env: frozenset[str] = frozenset().union(*(one.reads_env for one in found.expressions))
        self.uses_status: frozenset[str] = frozenset().union(*(one.uses_status for one in found.expressions))
        self.secrets = frozenset(found.secrets)

    def render(self, scope: Scope, budget: Budget | None = None) -> Any:
        """Return the value: JSON types, with SecretRef and SecretText where secrets stand.

        Raises:
            HostdError: EXPRESSION_FAILED or EXPRESSION_LIMIT, naming the field.
            BlobNeeded: a value it looks into lies in a blob.
        """
        return self.value if self._render is None else self._render(scope, budget)


class _Found:
    """What is gathered while a tree is compiled."""

    def __init__(self, roots: frozenset[str] | None, mark: Mark | None) -> None:
        self.names = Names(roots)
        self.secrets_allowed = roots is not None and "secrets" in roots
        self.mark = mark
        self.expressions: list[CompiledExpression] = []
        self.secrets: set[str] = set()
        self.paths: list[str] = []
        self.faults: list[Violation] = []

    def fault(self, mistake: Mistake, source: str, path: str) -> None:
        line, column = self.mark(path) if self.mark else (0, 0)
        self.faults.append(violation(mistake, source, line=line, column=column, path=path))


def compile_template(
    value: JsonValue,
    *,
    roots: frozenset[str] | None = None,
    code_fields: frozenset[str] = frozenset(),
    path: str = "",
    mark: Mark | None = None,
) -> CompiledTemplate:
    """Return the compiled form of a value tree. Keys are never templates.

    Args:
        roots: names that have a value where it stands; `secrets` among them allows secrets. None = any name.
        code_fields: keys at the top that hold code: an expression inside is a mistake.
        path: the field the tree stands in, such as `steps.post.with`.
        mark: tells line and column, from 1, at which the text of a field path begins.

    Raises:
        HostdError: EXPRESSION_INVALID or CODE_INTERPOLATION with a violation for every mistake in the tree.
    """
    found = _Found(roots, mark)
    value, render = _compile(value, path, found)
    if code_fields and isinstance(value, dict):
        _refuse_code(value, code_fields, path, found)
    if found.faults:
        raise invalid_expression(found.faults)
    return CompiledTemplate(value, found, render)


def has_expression(text: str) -> bool:
    """Say whether a text holds `${{` that is not escaped."""
    at = text.find(_OPEN)
    while at > 0 and text[at - 1] == "$":
        at = text.find(_OPEN, at + len(_OPEN))
    return at >= 0


def _refuse_code(value: dict[str, JsonValue], code_fields: frozenset[str], path: str, found: _Found) -> None:
    for key in sorted(code_fields & value.keys()):
        below = child_path(path, key)
        for one in found.paths:
            if one == below or one.startswith((f"{below}.", f"{below}[")):
                mistake = Mistake(
                    0,
                    f"`{key}` holds code, and a value pasted into code can change what it does",
                    "pass the value through `input`, `params` or `env`; $${{ is the text ${{ itself",
                    "CODE_INTERPOLATION",
                )
                found.fault(mistake, "", one)


def _compile(value: JsonValue, path: str, found: _Found) -> tuple[JsonValue, Render | None]:
    """Return the value with escapes undone, and what renders it; None when there is nothing to render."""
    if isinstance(value, str):
        return _compile_text(value, path, found) if _OPEN in value else (value, None)
    if isinstance(value, dict):
        for key in value:
            if _OPEN in key and has_expression(key):
                found.fault(Mistake(0, *KEY_IS_PLAIN), key, child_path(path, key))
        pairs = {key: _compile(item, child_path(path, key), found) for key, item in value.items()}
        plain: JsonValue = {key: item for key, (item, _) in pairs.items()}
        return plain, _render_map(pairs) if any(render for _, render in pairs.values()) else None
    if isinstance(value, list):
        items = [_compile(item, child_path(path, place), found) for place, item in enumerate(value)]
        return [item for item, _ in items], _render_list(items) if any(render for _, render in items) else None
    return value, None


def _render_map(pairs: dict[str, tuple[JsonValue, Render | None]]) -> Render:
    entries = tuple((key, value, render) for key, (value, render) in pairs.items())

    def run(scope: Scope, budget: Budget | None) -> dict[str, Any]:
        return {key: render(scope, budget) if render else value for key, value, render in entries}

    return run


def _render_list(items: list[tuple[JsonValue, Render | None]]) -> Render:
    return lambda scope, budget: [render(scope, budget) if render else value for value, render in items]


def _compile_text(text: str, path: str, found: _Found) -> tuple[JsonValue, Render | None]:
    try:
        parts = _parts(text, path, found)
    except Mistake as mistake:
        found.fault(mistake, text, path)
        found.paths.append(path)
        return text, None
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts), None
    found.paths.append(path)
    if len(parts) == 1:
        return text, _render_whole(parts[0])
    return text, _render_joined(parts, path)


def _render_whole(part: Part) -> Render:
    if isinstance(part, CompiledExpression):
        return part.evaluate
    return lambda scope, budget: part


def _render_joined(parts: list[Part], path: str) -> Render:
    secret = any(isinstance(part, SecretRef) for part in parts)

    def run(scope: Scope, budget: Budget | None) -> Any:
        left = MAX_RESULT_BYTES
        rendered: list[str | SecretRef] = []
        for part in parts:
            if not isinstance(part, CompiledExpression):
                rendered.append(part)
                continue
            try:
                text = text_of(part.evaluate(scope, budget), left)
            except TooMuch:
                raise _too_long(path) from None
            left -= len(text)
            rendered.append(text)
        return _joined_secret(rendered) if secret else "".join(rendered)  # type: ignore[arg-type]

    return run


def _too_long(path: str) -> HostdError:
    return HostdError(
        Kind.EXHAUSTED,
        "EXPRESSION_LIMIT",
        f"{path or 'the text'}: the values put into the text are longer than {MAX_RESULT_BYTES} bytes; "
        "pass the value whole, in a field of its own",
        details={"field": path},
    )


def _joined_secret(parts: list[str | SecretRef]) -> SecretText:
    """Return the text with neighbouring plain texts joined."""
    joined: list[str | SecretRef] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part:
            joined.append(part)
    return SecretText(tuple(joined))


def _parts(text: str, path: str, found: _Found) -> list[Part]:
    """Return texts, secrets and expressions in order. Raises Mistake, the last; those before it are in `found`."""
    parts: list[Part] = []
    mistakes: list[Mistake] = []
    plain, at = "", 0
    while (start := text.find(_OPEN, at)) >= 0:
        if start > at and text[start - 1] == "$":
            plain += text[at : start - 1] + _OPEN
            at = start + len(_OPEN)
            continue
        plain += text[at:start]
        tokens = tokenize(text, start + len(_OPEN), in_template=True)
        if plain:
            parts.append(plain)
        try:
            parts.append(_expression(text, tokens, path, found, place=len(parts)))
        except Mistake as mistake:
            mistakes.append(mistake)
        plain, at = "", tokens[-1].end
    for earlier in mistakes[:-1]:
        found.fault(earlier, text, path)
    if mistakes:
        raise mistakes[-1]
    plain += text[at:]
    return [*parts, plain] if plain or not parts else parts


def _expression(
    text: str, tokens: list[Token], path: str, found: _Found, *, place: int
) -> SecretRef | CompiledExpression:
    node = parse(tokens)
    name = _secret_name(node)
    if name is not None:
        if not found.secrets_allowed:
            raise Mistake(node.start, "secrets have no value here", "a secret can stand in `with` only")
        found.secrets.add(name)
        return SecretRef(name)
    expression = compile_node(text, node, names=found.names, path=path, place=place)
    found.expressions.append(expression)
    return expression


def _secret_name(node: Node) -> str | None:
    if isinstance(node, Select) and isinstance(node.of, Name) and node.of.name == "secrets":
        return node.field
    return None
