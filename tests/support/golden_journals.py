"""The golden journals: what each release wrote, kept for ever. `make_golden_journals.py` adds a release's.

tests/golden/journals/<release>/
    records.json    a record of every kind: {"kind", "body" (base64 of a row), "fields"}
    history.json    a run's rows [at_ms, body (base64)], and the state they fold to with `history_plan`
    journal.db.gz   a whole journal file with three runs
tests/golden/snapshots/<release>.json, <release>+<ver>.json
    a snapshot [seq, body (base64)] of that history's run after every record, in every form the release wrote
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import random
import tempfile
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import plans
from journals import append, open_journal, whole_run
from playbook import Playbook, start

from hostd.definition.plan import Plan, RetryPlan
from hostd.engine.evolve import fold
from hostd.engine.snapshot import SNAPSHOT_VER, encode_snapshot
from hostd.engine.state import Run
from hostd.journal.codec import decode_records, encode_records
from hostd.journal.port import Batch, Blob
from hostd.model import messages
from hostd.model.payload import BlobRef, Value, blob_digest
from hostd.model.records import KIND_OF, RECORD_TYPES, AnyRecord, Failure, Record
from hostd.values.version import VERSION

FOLDER = Path(__file__).resolve().parents[1] / "golden/journals"
SNAPSHOTS = FOLDER.parent / "snapshots"
_SAMPLES: dict[Any, Any] = {
    int: 7,
    bool: True,
    float: 0.25,
    str: "täxt",
    bytes: b"\x00\xff",
    Value: BlobRef(b"d" * 32, 40_000, "text/plain"),
    dict[str, str]: {"a": "b"},
    tuple[str, ...]: ("one", "two"),
    Failure: Failure("X", "why", "code", True, b'{"a":1}'),
    Failure | None: Failure("X", "why"),
}


def sample(kind: type[Record]) -> Record:
    """Return a record of a kind with every field set to something."""
    hints = get_type_hints(kind)
    fields = {name: _SAMPLES[hints[name]] for name in kind.__struct_fields__ if name != "ver"}
    return kind(**fields)


def fields_of(record: Record) -> dict[str, Any]:
    """Return a record's fields as JSON values, bytes in base64."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return msgspec.json.decode(msgspec.json.encode(fields), type=dict[str, Any])


def history_plan() -> Plan:
    """Return the plan of the golden history. Never changed: a new release may add another."""
    return plans.plan(
        plans.step("fetch", retry=RetryPlan(max_attempts=3, initial_interval_ms=1_000)),
        plans.step("skip", needs="fetch", when="False"),
        plans.step("wait", "flow.wait", needs="fetch", options={"duration": "5s"}),
        plans.step("pay", needs="wait skip", when="none_failed()"),
        handlers={"exit": plans.step("exit")},
        output="=result('pay')",
    )


def played() -> Playbook:
    """Return a run that failed once, lost an attempt, was paused, waited, and ended."""
    book = Playbook(history_plan())
    failure = Failure("ACTION_FAILED", "no", "E1", True, b"{}")

    def attempt(step: int) -> int:
        assert book.run is not None
        return book.run.active[step].attempt

    said: list[Any] = [
        start({"n": 1}),
        lambda _run: messages.AttemptError(0, attempt(0), failure, random=0.5),
        messages.Tick(),
        lambda _run: messages.AttemptGone(0, attempt(0), "idempotent", True),
        lambda _run: messages.SlotFree(0, True),
        lambda _run: messages.AttemptDone(0, attempt(0), b'{"id":1}'),
        messages.Pause(),
        messages.Tick(),
        messages.Resume(),
        messages.Tick(),
        lambda _run: messages.AttemptDone(3, attempt(3), b'"paid"'),
        lambda _run: messages.AttemptDone(4, attempt(4), b""),
    ]
    for message in said:
        (book >> message).skip()
        book.later(10_000)
    return book


def summary(run: Run) -> dict[str, Any]:
    """Return what a folded run must show."""
    return {
        "state": run.state,
        "steps": list(run.states),
        "outputs": {str(step): msgspec.to_builtins(output) for step, output in sorted(run.outputs.items())},
        "seq": run.seq,
        "last_at_ms": run.last_at_ms,
    }


def text(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode()


def golden_history(release: str) -> list[tuple[int, AnyRecord]]:
    """Return a release's golden history as (at_ms, record) pairs."""
    rows = msgspec.json.decode((FOLDER / release / "history.json").read_bytes())["rows"]
    return [(at_ms, record) for at_ms, body in rows for record in decode_records(base64.b64decode(body))]


def add_snapshots(release: str, form: str = "") -> None:
    """Write what this build keeps of the release's golden run; `form` is `+<ver>` where that is not its first."""
    history = golden_history(release)
    runs = [fold(history_plan(), history[:seq]) for seq in range(1, len(history) + 1)]
    kept = {"ver": SNAPSHOT_VER, "snapshots": [[run.seq, text(encode_snapshot(run))] for run in runs]}
    SNAPSHOTS.mkdir(exist_ok=True)
    file = SNAPSHOTS / f"{release}{form}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")


async def journal_file(path: Path) -> None:
    """Write a journal with three runs, one with a blob and labels."""
    journal = open_journal(path)
    for number in range(3):
        run = await whole_run(journal, at_ms=1_700_000_000_000 + number, labels={"n": str(number)})
        data = b"%d" % number * 40_000
        await append(journal, Batch(at_ms=1_700_000_000_100, blobs=[Blob("default", blob_digest(data), data, run)]))
    journal.close()


def add_release() -> None:
    """Write the folder of this version; refuse where there is one."""
    folder = FOLDER / VERSION
    if folder.exists():
        raise SystemExit(f"{folder} is there: what a release wrote never changes. Raise the version first.")
    folder.mkdir(parents=True)
    records = [
        {"kind": KIND_OF[kind], "body": text(encode_records([sample(kind)])), "fields": fields_of(sample(kind))}
        for kind in RECORD_TYPES
    ]
    (folder / "records.json").write_bytes(msgspec.json.format(msgspec.json.encode(records), indent=1) + b"\n")
    book = played()
    rows = [[at_ms, text(encode_records([record]))] for at_ms, record in book.history]
    assert book.run is not None
    assert all(decode_records(base64.b64decode(body)) for _, body in rows)
    history = msgspec.json.encode({"rows": rows, "state": summary(book.run)})
    (folder / "history.json").write_bytes(msgspec.json.format(history, indent=1) + b"\n")
    add_snapshots(VERSION)
    with tempfile.TemporaryDirectory() as name:
        random.seed(0)
        asyncio.run(journal_file(Path(name) / "journal.db"))
        (folder / "journal.db.gz").write_bytes(gzip.compress((Path(name) / "journal.db").read_bytes(), mtime=0))
