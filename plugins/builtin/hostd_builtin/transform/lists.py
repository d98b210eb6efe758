"""Operations on a list as a whole, and on maps as lists of entries."""

from __future__ import annotations

from hostd.plugin import ActionError, JsonValue, dump_json
from hostd_builtin.transform.figures import figures
from hostd_builtin.transform.options import GroupBy, Operation, SortBy
from hostd_builtin.transform.paths import Missing, parse_path, read_path
from hostd_builtin.transform.work import Work, kind_of, wrong_kind


def apply_extract(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Follow paths."""
    if isinstance(op.extract, dict):
        return {name: _extracted(work, op, value, path) for name, path in op.extract.items()}
    return _extracted(work, op, value, op.extract or "")


def _extracted(work: Work, op: Operation, value: JsonValue, path: str) -> JsonValue:
    try:
        found = read_path(value, parse_path(path))
    except Missing:
        if op.has_default:
            return op.default  # type: ignore[no-any-return]
        message = f"the path {path!r} leads nowhere in the value; `default` takes its place"
        raise ActionError(message, code="MISSING", details={"path": path}) from None
    work.charge(len(found) if isinstance(found, list) else 1)
    return found


def apply_group_by(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Gather items that give the same."""
    how = op.group_by if isinstance(op.group_by, GroupBy) else GroupBy(by=op.group_by or "item")
    groups: dict[str, list[JsonValue]] = {}
    keys: dict[str, JsonValue] = {}
    for index, item in enumerate(work.items(value, "group_by")):
        key = work.evaluate(how.by, item=item, index=index, value=value)
        if isinstance(key, dict | list) or key is None:
            raise wrong_kind(f"item {index}: group_by", "a text, a number or a bool to group by", key)
        text = key if isinstance(key, str) else dump_json(key).decode()
        if keys.setdefault(text, key) != key or type(keys[text]) is not type(key):
            raise ActionError(
                f"item {index}: group_by gives {text!r} as a text and as something else", code="WRONG_KIND"
            )
        groups.setdefault(text, []).append(item)
    if not how.figures:
        return {text: list(items) for text, items in groups.items()}
    return [{"key": keys[text], **figures(work, how.figures, items)} for text, items in groups.items()]


def apply_sort(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Sort, by one key after the other; equal items keep their order."""
    items = list(work.items(value, "sort"))
    work.charge(len(items) * max(1, len(items).bit_length()) // 4)
    for by in reversed(_orders(op)):
        keyed = [(work.evaluate(by.by, item=item, index=at, value=value), item) for at, item in enumerate(items)]
        known = [pair for pair in keyed if pair[0] is not None]
        _check_alike([key for key, _ in known])
        known.sort(key=lambda pair: pair[0], reverse=by.descending)  # type: ignore[arg-type,return-value]
        items = [item for _, item in known] + [item for key, item in keyed if key is None]
    return items


def _orders(op: Operation) -> list[SortBy]:
    if isinstance(op.sort, list):
        return op.sort
    return [op.sort if isinstance(op.sort, SortBy) else SortBy(by=op.sort or "item", descending=False)]


def _check_alike(keys: list[JsonValue]) -> None:
    kinds = {kind_of(key) for key in keys}
    if len(kinds) > 1 or kinds & {"a list", "a map"}:
        message = f"sort compares numbers, texts or bools, all of one kind, not {' and '.join(sorted(kinds))}"
        raise ActionError(message, code="WRONG_KIND")


def apply_unique(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Keep the first of equal ones."""
    seen: set[bytes] = set()
    kept: list[JsonValue] = []
    for index, item in enumerate(work.items(value, "unique")):
        mark = dump_json(_sorted(work.evaluate(op.unique or "item", item=item, index=index, value=value)))
        work.charge(len(mark) // 256)
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


def _sorted(value: JsonValue) -> JsonValue:
    """Return a value whose text is the same whatever the order of its keys."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def apply_flatten(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Take lists out of the list."""
    items = work.items(value, "flatten")
    for _ in range(op.flatten or 1):
        if not any(isinstance(item, list) for item in items):
            break
        flat: list[JsonValue] = []
        for item in items:
            flat.extend(item if isinstance(item, list) else (item,))
        items = work.items(flat, "flatten")
    return work.make(list(items))


def apply_limit(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Keep the first items, or the last."""
    items, most = work.items(value, "limit"), op.limit or 0
    return items[:most] if most >= 0 else items[most:]


def apply_join(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Make one text; what is no text stands there as JSON, null as nothing."""
    parts = [_text(item) for item in work.items(value, "join")]
    between = op.join or ""
    size = sum(map(len, parts)) + len(between) * len(parts)
    work.charge(size // 256)
    if size > 16 * 1024 * 1024:
        raise ActionError("join would make a text of more than 16 MiB", code="TOO_LARGE")
    return work.make(between.join(parts))


def _text(item: JsonValue) -> str:
    if item is None:
        return ""
    return item if isinstance(item, str) else dump_json(item).decode()


def apply_entries(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """A map as a list of entries, or back."""
    if op.entries == "to":
        if not isinstance(value, dict):
            raise wrong_kind("entries: to", "a map", value)
        work.charge(len(value))
        return [{"key": key, "value": item} for key, item in value.items()]
    made: dict[str, JsonValue] = {}
    for index, entry in enumerate(work.items(value, "entries: from")):
        if not isinstance(entry, dict) or "value" not in entry or not isinstance(entry.get("key"), str):
            raise ActionError(f"item {index}: entries: from takes {{key, value}} with a text as key", code="WRONG_KIND")
        made[str(entry["key"])] = entry["value"]
    return made


def apply_aggregate(work: Work, op: Operation, value: JsonValue) -> JsonValue:
    """Figures over a list."""
    return figures(work, op.aggregate or {}, work.items(value, "aggregate"))
