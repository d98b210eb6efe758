"""What every release wrote is read, folded and opened by this one."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest
from golden_journals import FOLDER, fields_of, history_plan, summary
from journals import open_journal

from hostd.engine.evolve import fold
from hostd.journal.codec import decode_records
from hostd.journal.port import RunQuery
from hostd.model.records import KIND_OF
from hostd.values.version import VERSION

RELEASES = sorted(folder.name for folder in FOLDER.iterdir())


def read(release: str, name: str) -> Any:
    """Return a golden file's JSON."""
    return msgspec.json.decode((FOLDER / release / name).read_bytes())


@pytest.mark.parametrize("release", RELEASES)
def test_records_of_each_release_say_what_they_said(release: str) -> None:
    """Each kind decodes to the fields it was written with; later fields have their defaults."""
    for golden in read(release, "records.json"):
        (record,) = decode_records(base64.b64decode(golden["body"]))
        assert KIND_OF[type(record)] == golden["kind"]
        fields = fields_of(record)
        assert {name: fields[name] for name in golden["fields"] if name != "ver"} == {
            name: value for name, value in golden["fields"].items() if name != "ver"
        }


def test_this_release_has_its_records() -> None:
    """Every kind that this version writes is in its golden folder."""
    assert {golden["kind"] for golden in read(VERSION, "records.json")} == set(KIND_OF.values())


@pytest.mark.parametrize("release", RELEASES)
def test_histories_of_each_release_fold_to_the_same_state(release: str) -> None:
    """A history folds to the state it had when it was written."""
    golden = read(release, "history.json")
    records = [(at_ms, record) for at_ms, body in golden["rows"] for record in decode_records(base64.b64decode(body))]
    assert summary(fold(history_plan(), records)) == golden["state"]


@pytest.mark.parametrize("release", RELEASES)
def test_journals_of_each_release_open(release: str, tmp_path: Path) -> None:
    """A journal file of an older release is migrated, sound, and has its runs."""
    (tmp_path / "journal.db").write_bytes(gzip.decompress((FOLDER / release / "journal.db.gz").read_bytes()))
    journal = open_journal(tmp_path / "journal.db")
    assert list(journal.check()) == []
    runs = journal.query_runs(RunQuery("default"))
    assert [row.labels["n"] for row in runs] == ["2", "1", "0"]
    assert [len(journal.history(row.run)) for row in runs] == [5, 5, 5]
    journal.close()
