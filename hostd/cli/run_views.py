"""Runs, steps and records as text for people, from the values that `-o json` prints."""

from __future__ import annotations

from typing import Any

from hostd.cli.complaints import fix_of
from hostd.cli.tables import age, clean, columns, duration_between, fields, paint
from hostd.cli.terminal import colored
from hostd.values.json_text import dump_json

Json = dict[str, Any]
_VALUE_CHARS = 4_000


def started(answer: Json) -> str:
    """Return what became of a start."""
    return fields(
        [("run_id", answer["run_id"]), ("version", answer["version"]), ("existing", answer["existing"] or None)]
    )


def started_line(answer: Json) -> str:
    """Return what became of one of many starts."""
    return " ".join([answer["run_id"], answer["version"], *(["existing"] if answer["existing"] else [])])


def signaled(answer: Json) -> str:
    """Return what became of a signal."""
    return fields([("run_id", answer["run_id"]), ("repeated", answer["repeated"] or None)])


def listing(runs: list[Json]) -> str:
    """Return a table of runs."""
    heads = (
        "RUN_ID", "WORKFLOW", "+VERSION", "STATE", "KEY", "+TRIGGER", "AGE", "+CREATED", "TOOK", "REASON", "+LABELS",
        "+PARENT",
    )  # fmt: skip
    return columns(
        heads,
        [
            (
                run["run_id"], run["workflow"], run["version"], run["state"], run["key"], run["trigger"],
                age(run["create_time"]), run["create_time"], duration_between(run["create_time"], run["end_time"]),
                run["reason"], run["labels"] or None, run["parent"],
            )
            for run in runs
        ],
    )  # fmt: skip


def change_line(change: Json) -> str:
    """Return what happened to a run, seen through a filter, in one line."""
    run = change["run"]
    words = (f"{change['kind']:<8}", *(run[name] for name in ("run_id", "workflow", "state", "key", "reason")))
    return "  ".join(word for word in words if word)


def steered(run: Json) -> str:
    """Return a run in one line."""
    return " ".join(part for part in (run["run_id"], paint_state(run["state"]), run["reason"]) if part)


def paint_state(state: str | None) -> str:
    """Return a state, colored on a terminal."""
    return paint(state or "") if colored() else state or ""


def whole(run: Json, drawing: str = "") -> str:
    """Return a run with everything that is known of it, and a drawing of its steps where there is one."""
    head = fields(
        [
            ("run", run["run_id"]),
            ("workflow", f"{run['workflow']} {run['version']}"),
            ("state", run["state"]),
            ("outcome", run["outcome"] if run["outcome"] != run["state"] else None),
            ("reason", run["reason"]),
            ("message", run["message"]),
            ("key", run["key"]),
            ("labels", run["labels"] or None),
            ("signals", run["signals"] or None),
            ("trigger", run["trigger"]),
            ("parent", run["parent"]),
            ("principal", run["principal"]),
            ("created", run["create_time"]),
            ("ended", run["end_time"]),
            ("took", duration_between(run["create_time"], run["end_time"])),
            ("due", run["due_time"]),
        ]
    )
    drawn = f"\n{drawing}" if drawing else ""
    return "\n".join(
        part for part in (head, drawn, _steps(run["steps"]), _failures(run["failures"]), _values(run)) if part
    )


def _steps(steps: list[Json]) -> str:
    heads = ("STEP", "USES", "STATE", "ATTEMPTS", "+STARTED", "TOOK", "DETAIL")
    table = columns(
        heads,
        [
            (
                step["id"], step["uses"], step["state"], step["attempts"], step["start_time"],
                duration_between(step["start_time"], step["end_time"]), _detail(step),
            )
            for step in steps
        ],
    )  # fmt: skip
    return f"\n{table}" if table else ""


def _detail(step: Json) -> str:
    parts = []
    if step["due_time"]:
        parts.append(f"due {step['due_time']}")
    if step["error"] and step["state"] not in ("SUCCEEDED", "SKIPPED"):
        parts.append(failure_text(step["error"]))
    if step["result"] and step["result"] != step["state"]:
        parts.append(f"counts as {step['result']}")
    return "; ".join(parts)


def failure_text(failure: Json) -> str:
    """Return a failure in one line."""
    code = f" [{failure['code']}]" if failure["code"] else ""
    return f"{failure['reason']}{code}: {failure['message']}"


def _failures(failures: list[Json]) -> str:
    lines = [f"  {failure['step'] or 'the run'}: {failure_text(failure)}" for failure in failures]
    fixes = {failure["reason"]: fix_of(failure["reason"]) for failure in failures}
    lines += [f"fix: {fix}" for fix in fixes.values() if fix]
    return clean("\n".join(["\nfailures:", *lines])) if lines else ""


def _values(run: Json) -> str:
    lines = [f"\n{name}: {value_text(run[name])}" for name in ("input", "output") if run[name] is not None]
    return "".join(lines)


def value_text(value: Any) -> str:
    """Return a value in one line, cut where it is long."""
    text = clean(dump_json(value).decode())
    return text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]}... (-o json shows all)"


def records(found: list[Json]) -> str:
    """Return a table of records."""
    heads = ("SEQ", "TIME", "KIND", "STEP", "ATTEMPT", "STATE", "DETAIL")
    return columns(
        heads,
        [
            (
                record["seq"], record["time"], record["kind"], record["step"], record["attempt"] or "",
                record["step_state"] or record["run_state"], record_detail(record),
            )
            for record in found
        ],
    )  # fmt: skip


def record_line(record: Json) -> str:
    """Return a record as one line of a timeline: time, step, state, attempt, message."""
    clock = (record["time"] or "").partition("T")[2].removesuffix("Z")
    state = record["step_state"] or record["run_state"] or ""
    attempt = f"#{record['attempt']}" if record["attempt"] else ""
    subject = record["step"] or "run"
    what = f"{record['kind']}  {record_detail(record)}".rstrip()
    return f"{clock:<12}  {subject:<16}  {paint_state(f'{state:<10}')}  {attempt:<4}{clean(what)}"


def record_detail(record: Json) -> str:
    """Return what a record says beside its state."""
    parts = [record["signal"], record["reason"], record["message"]]
    if record["failure"]:
        parts = [failure_text(record["failure"])]
    if record["due_time"]:
        parts.append(f"due {record['due_time']}")
    return ": ".join(part for part in parts if part)


def log_lines(lines: list[Json]) -> str:
    """Return log lines with step and attempt in front."""
    width = max((len(line["step"]) for line in lines), default=0)
    return "\n".join(f"{line['step']:<{width}} #{line['attempt']} {clean(line['text'].rstrip())}" for line in lines)
