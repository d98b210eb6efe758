"""What is counted for those who watch over a daemon."""

from __future__ import annotations

from collections.abc import Callable

from journals import append, start_batch, whole_run

from hostd.journal.port import Batch, DeadLetter, EventRow, Journal, OpenCounts, RunUpdate
from hostd.model.states import RunState

Reopen = Callable[[Journal], Journal]


async def test_open_runs_are_counted_by_state_and_timer(journal: Journal, reopened: Reopen) -> None:
    """Runs that ended are not among them; the position says which records the count has seen."""
    assert journal.open_counts() == OpenCounts(journal.last_pos() + 1, {})
    waiting, timed = journal.allocate_runs(2), journal.allocate_runs(1)
    for run, due_at_ms in ((waiting, 0), (waiting + 1, 0), (timed, 99)):
        batch = start_batch(run)
        batch.run_updates.append(RunUpdate(run, int(RunState.WAITING), due_at_ms))
        await append(journal, batch)
    await whole_run(journal)
    journal = reopened(journal)
    waits = int(RunState.WAITING)
    assert journal.open_counts() == OpenCounts(journal.last_pos() + 1, {(waits, False): 2, (waits, True): 1})
    journal.close()


async def test_dead_letters_are_counted_by_namespace(journal: Journal) -> None:
    """Those that are met count no more."""
    letters = [DeadLetter(name, "w", "t", f"e{n}", b"", "X", "") for n, name in enumerate(("a", "a", "b"))]
    await append(journal, Batch(at_ms=1, dead_letters=letters))
    assert journal.dead_letter_counts() == {"a": 2, "b": 1}
    await append(journal, Batch(at_ms=2, dead_letters_met=[journal.dead_letters("b")[0][0]]))
    assert journal.dead_letter_counts() == {"a": 2}


async def test_what_waits_for_a_subscription_is_counted(journal: Journal) -> None:
    """By topic or prefix, behind a position, in one namespace, and no further than asked."""
    topics = ["a.x", "a.x", "b", "a.y", "a.x", ""]
    events = [EventRow("default", "", "", f"e{n}", b"", "PUBLISHED", topic=topic) for n, topic in enumerate(topics)]
    await append(journal, Batch(at_ms=1, events=[EventRow("other", "", "", "e", b"", "PUBLISHED", topic="b"), *events]))
    [first, *_] = [number for number, _, _ in journal.events("default")]

    def behind(*names: str, after: int = 0, most: int = 100) -> int:
        return journal.events_behind("default", names, after=after, most=most)

    assert [behind("a.x"), behind("a.*"), behind("*"), behind("b", "a.y"), behind("c")] == [3, 4, 5, 2, 0]
    assert [behind("a.x", after=first), behind("a.*", after=first + 1), behind("a.x", after=first + 99)] == [2, 2, 0]
    assert [behind("a.x", most=2), behind("*", most=1)] == [2, 1]
