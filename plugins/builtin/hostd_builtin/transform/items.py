"""Operations on each item of a list; where the value is no list, it is the one item."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hostd.plugin import JsonValue
from hostd_builtin.transform.convert import NotConvertible, convert, refused
from hostd_builtin.transform.dates import format_date, parse_date
from hostd_builtin.transform.options import Lookup, Merge, Operation
from hostd_builtin.transform.paths import Missing, missing, parse_path, put_path, read_path
from hostd_builtin.transform.work import Work, wrong_kind

OnItem = Callable[[JsonValue, int], JsonValue]


def each(work: Work, value: JsonValue, operation: str, on_item: OnItem) -> JsonValue:
    """Return a list with each item changed, or the changed value."""
    if not isinstance(value, list):
        work.charge(1)
        return on_item(value, 0)
    return [on_item(item, index) for index, item in enumerate(work.items(value, operation))]


def apply_map(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Make each item anew."""
    return each(work, value, "map", lambda item, index: work.tree(op.map, item=item, index=index, value=value))


def apply_filter(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Keep items or entries."""
    condition = op.filter or "true"
    if isinstance(value, dict):
        return {
            key: item
            for index, (key, item) in enumerate(value.items())
            if work.holds(condition, item={"key": key, "value": item}, index=index, value=value)
        }
    items = work.items(value, "filter")
    return [item for index, item in enumerate(items) if work.holds(condition, item=item, index=index, value=value)]


def apply_convert(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Change types."""

    def one(item: JsonValue, kind: str, where: str) -> JsonValue:
        try:
            return work.make(convert(item, kind))
        except NotConvertible:
            if op.has_default:
                return op.default  # type: ignore[no-any-return]
            raise refused(item, kind, where) from None

    def fields(item: JsonValue, index: int) -> JsonValue:
        record, kinds = _record(item, "convert"), op.convert
        assert isinstance(kinds, dict)  # noqa: S101
        changed = {
            name: one(record[name], kind, f"item {index}: {name} is ") for name, kind in kinds.items() if name in record
        }
        return {**record, **changed}

    if isinstance(op.convert, dict):
        return each(work, value, "convert", fields)
    kind = str(op.convert)
    if kind == "list":
        return one(value, kind, "")
    return each(work, value, "convert", lambda item, index: one(item, kind, f"item {index} is "))


def apply_rename(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Rename fields; they keep their place."""
    names = op.rename or {}
    return each(
        work,
        value,
        "rename",
        lambda item, _: {names.get(key, key): field for key, field in _record(item, "rename").items()},
    )


def apply_pick(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Keep fields, in the order they are named."""

    def one(item: JsonValue, _: int) -> JsonValue:
        record = _record(item, "pick")
        return {name: record[name] for name in op.pick or () if name in record}

    return each(work, value, "pick", one)


def apply_drop(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Leave fields out."""
    names = frozenset(op.drop or ())
    return each(
        work,
        value,
        "drop",
        lambda item, _: {key: field for key, field in _record(item, "drop").items() if key not in names},
    )


def apply_set(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Put values at paths; later ones see what earlier ones put."""

    def one(item: JsonValue, index: int) -> JsonValue:
        for path, tree in (op.set or {}).items():
            new = work.tree(tree, item=item, index=index, value=value)
            item = put_path(item, parse_path(path), new, path)
        return item

    return each(work, value, "set", one)


def apply_merge(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Merge a map into each item."""
    how = op.merge
    assert how is not None  # noqa: S101

    def one(item: JsonValue, index: int) -> JsonValue:
        other = _record(work.evaluate(how.with_, item=item, index=index, value=value), "merge.with")
        record = _record(item, "merge")
        work.charge(len(other) + len(record))
        return _merged(work, record, other, how)

    return each(work, value, "merge", one)


def _merged(work: Work, record: dict[str, JsonValue], other: dict[str, JsonValue], how: Merge) -> dict[str, JsonValue]:
    merged = {**record, **other} if how.prefer == "with" else {**other, **record}
    if how.deep:
        for key in record.keys() & other.keys():
            mine, theirs = record[key], other[key]
            if isinstance(mine, dict) and isinstance(theirs, dict):
                work.charge(len(mine) + len(theirs))
                merged[key] = _merged(work, mine, theirs, how)
    return merged


def apply_template(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Make a text of each item."""
    text = op.template or ""
    return each(
        work, value, "template", lambda item, index: work.evaluate(text, item=item, index=index, value=value, text=True)
    )


def apply_lookup(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Look each item up in a table."""
    how = op.lookup
    assert how is not None  # noqa: S101

    def one(item: JsonValue, index: int) -> JsonValue:
        table = work.evaluate(how.table, item=item, index=index, value=value)
        key = work.evaluate(how.key, item=item, index=index, value=value)
        found = _found(table, key, op, how)
        return found if how.into is None else put_path(item, parse_path(how.into), found, how.into)

    return each(work, value, "lookup", one)


def _found(table: JsonValue, key: JsonValue, op: Operation, how: Lookup) -> JsonValue:
    part = key if isinstance(table, list) else str(key) if isinstance(key, int) else key
    if isinstance(part, str | int) and not isinstance(part, bool):
        try:
            return read_path(table, (part,))
        except Missing:
            pass
    if op.has_default:
        return op.default  # type: ignore[no-any-return]
    raise missing(f"{how.table}[{how.key}]")


def apply_split(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Cut texts."""

    def one(item: JsonValue, _: int) -> JsonValue:
        if not isinstance(item, str):
            raise wrong_kind("split", "a text", item)
        work.charge(len(item) // 64)
        return work.make(list(item.split(op.split)))

    return each(work, value, "split", one)


def apply_parse_date(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Read dates."""
    assert op.parse_date is not None  # noqa: S101
    return each(work, value, "parse_date", partial(_dated, work, parse_date, op.parse_date))


def apply_format_date(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Write dates."""
    assert op.format_date is not None  # noqa: S101
    return each(work, value, "format_date", partial(_dated, work, format_date, op.format_date))


def _dated(work: Work, change: Callable[..., JsonValue], how: object, item: JsonValue, _: int) -> JsonValue:
    work.charge(20)
    return work.make(change(item, how))


def _record(item: JsonValue, operation: str) -> dict[str, JsonValue]:
    if not isinstance(item, dict):
        raise wrong_kind(operation, "a map, or a list of maps", item)
    return item
