"""Signals to a run: checked on arrival, kept in order and once, refused when it is full or will not have them."""

from __future__ import annotations

import pytest
from plans import plan, step
from playbook import NOTHING, blob_of, pause, signal, start, terminate

from hostd.definition.inputs import InputContract
from hostd.definition.plan import Plan
from hostd.engine.signals import KEPT_MAX, KEPT_PER_NAME_MAX
from hostd.engine.snapshot import decode_snapshot, encode_snapshot
from hostd.engine.state import KeptSignal
from hostd.model import messages
from hostd.model.payload import RUN_BYTES_MAX

PAY = {"type": "object", "properties": {"amount": {"type": "integer"}, "by": {"default": "card"}}}


def waiting(**signals: object) -> Plan:
    """Return a plan whose runs wait, and take signals."""
    schemas = {"PAY": PAY, "ANY": {}} | signals
    contracts = {name: InputContract(schema) for name, schema in schemas.items()}
    return plan(step("wait", "flow.wait", options={"duration": "1h"}), signals=contracts)


def begun(play, **signals):
    """Return a book of a run that waits."""
    return (play(waiting(**signals)) >> start()).skip()


def test_signals_are_kept_in_order_with_defaults_and_move_nothing(play):
    """Each is one record; the steps stay where they are; a pause does not keep them out."""
    book = begun(play)
    states = bytes(book.run.states)
    book >> signal("PAY", {"amount": 1}) << "signal PAY"
    (book >> pause).skip()
    book >> signal("ANY") << "signal ANY"
    book >> signal("PAY", {"amount": 2, "by": "cash"}) << "signal PAY"

    said = [(kept.name, kept.data) for kept in book.run.signals]
    assert said == [("PAY", b'{"amount":1,"by":"card"}'), ("ANY", b"null"), ("PAY", b'{"amount":2,"by":"cash"}')]
    assert bytes(book.run.states) == states


def test_the_same_request_id_is_received_once(play):
    """A repeat changes nothing, however its text is written; another signal under the id is refused."""
    book = begun(play)
    book >> signal("PAY", {"amount": 1}, "r") << "signal PAY"
    book >> signal("PAY", {"amount": 1}, "r") << NOTHING
    book >> messages.Signal("PAY", b'{"by": "card", "amount": 1}', {"by": "card", "amount": 1}, "r") << NOTHING
    book >> signal("PAY", {"amount": 2}, "r") << "refused REQUEST_ID_CONFLICT"
    book >> signal("ANY", None, "r") << "refused REQUEST_ID_CONFLICT"
    book >> signal("ANY") << "signal ANY"
    book >> signal("ANY") << "signal ANY"
    book.close()


def test_what_the_workflow_does_not_take_is_refused(play):
    """An undeclared name says what there is; data that does not fit names the field."""
    book = begun(play)
    book >> signal("CRY") << "refused SIGNAL_UNKNOWN"
    assert "takes ANY, PAY" in book.decision.error.message
    book >> signal("PAY", {"amount": "much"}) << "refused SIGNAL_INVALID"
    assert book.decision.error.violations[0].path == "amount"


def test_a_name_and_a_run_keep_so_many(play):
    """64 of a name, 1,024 of a run; one more is refused, and a repeat of a kept one is not."""
    names = [f"S{n}" for n in range(KEPT_MAX // KEPT_PER_NAME_MAX)]
    book = begun(play, **{name: {} for name in names})
    for n in range(KEPT_PER_NAME_MAX):
        book >> signal("ANY", n, f"any-{n}") << "signal ANY"
    book >> signal("ANY", 0) << "refused SIGNALS_FULL"
    book >> signal("ANY", 0, "any-0") << NOTHING
    room = KEPT_MAX - KEPT_PER_NAME_MAX
    run = book.run.fork()
    run.signals += tuple(KeptSignal(names[n % len(names)], b"1") for n in range(room))
    full = play(book.plan)
    full.run = run
    full.history = []
    assert type(full._decide(signal("PAY", {}))).__name__ == "Refused"


def test_a_signal_never_ends_a_run_for_its_size(play):
    """One that would bring the run past its walls is refused; the run goes on."""
    book = begun(play)
    run = book.run.fork()
    run.value_bytes = RUN_BYTES_MAX - 1
    full = play(book.plan)
    full.run = run
    assert full._decide(signal("ANY", "xx")).error.reason == "SIGNALS_FULL"


def test_a_large_signal_is_a_blob(play):
    """Past 32 KiB the record refers to it, and a repeat is still known."""
    book = begun(play)
    value = {"text": "x" * 40_000, "by": "card"}
    book >> signal("PAY", value, "r") << "signal PAY"
    assert [blob.digest for blob in book.decision.blobs] == [blob_of(value).digest]
    book >> signal("PAY", value, "r") << NOTHING


def test_a_run_may_begin_with_a_signal(play):
    """It is received before the first step begins, even where the run ends at once; refused, nothing begins."""
    contracts = {"PAY": InputContract(PAY)}
    short = plan(step("a", "flow.pass", options={"output": 1}), signals=contracts)
    with_signal = messages.Begin(start().started, signal=signal("PAY", {"amount": 1}, "r"))
    book = play(short)
    book >> with_signal << "run started" << "signal PAY" << "a SUCCEEDED" << "ended SUCCEEDED"
    book >> signal("PAY", {"amount": 1}, "r") << NOTHING

    refused = play(short)
    bad = messages.Begin(start().started, signal=signal("PAY", {"amount": "much"}))
    refused >> bad << "refused SIGNAL_INVALID"
    assert refused.run is None


def test_a_final_run_hears_nothing(play):
    """No record follows the last."""
    book = begun(play)
    (book >> terminate).skip()
    book >> signal("ANY") << NOTHING


@pytest.mark.parametrize("seq", [1, 2, 3, 4])
def test_snapshots_keep_signals(play, seq):
    """A run from a snapshot knows what it has received, and so does one folded anew."""
    book = begun(play)
    for n in range(seq):
        (book >> signal("ANY", n, f"r{n}")).skip()
    run = decode_snapshot(book.plan, encode_snapshot(book.run))
    assert run.snapshot_key() == book.run.snapshot_key()
    book.run = run
    book >> signal("ANY", 0, "r0") << NOTHING
