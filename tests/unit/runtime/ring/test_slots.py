"""Places for attempts: in order of asking, none lost, a suspect alone."""

from __future__ import annotations

import random

import pytest

from hostd.runtime.ring.slots import Slots

EXECUTORS = {"http.get": "inline", "file.read": "thread", "file.write": "thread", "one.only": "inline"}


class Told:
    """What slots tell, in order."""

    def __init__(self, slots: Slots) -> None:
        self.calls: list[tuple[int, int, bool]] = []
        slots.tell = lambda run, step, alone: self.calls.append((run, step, alone))

    @property
    def runs(self) -> list[int]:
        """The runs that were told."""
        return [run for run, _, _ in self.calls]


@pytest.fixture
def slots() -> Slots:
    """Two threads, three inline attempts; `one.only` once."""
    made = Slots(EXECUTORS.__getitem__, {"inline": 3, "thread": 2}, lambda action: 1 if action == "one.only" else None)
    made.gates.limit(EXECUTORS)
    return made


def test_an_action_that_never_waited_is_not_limited(slots: Slots) -> None:
    """Inline actions get a limit with their first wait; those of threads, or with a limit of their own, at once."""
    assert slots.permits() == {"file.read": 2, "file.write": 2, "one.only": 1}

    slots.gates.take("http.get")

    assert slots.permits() == {"file.read": 2, "file.write": 2, "http.get": 2, "one.only": 1}


def test_places_are_given_in_the_order_of_asking(slots: Slots) -> None:
    """Whoever asked first is told first, across the actions of an executor; never more than there are places."""
    told = Told(slots)
    slots.gates.take("file.read")
    slots.gates.take("file.write")
    for run in range(5):
        slots.ask(run, 0, "file.read" if run % 2 else "file.write", alone=False)
    assert told.calls == []

    slots.ended(100, 0, "file.read")
    assert told.runs == [0]
    slots.ended(101, 0, "file.write")
    assert told.runs == [0, 1]
    assert slots.permits()["file.read"] == 0


def test_a_run_that_ended_meanwhile_gives_its_place_to_the_next(slots: Slots) -> None:
    """A thousand dead asks in front of one that lives cost it nothing."""
    told = Told(slots)
    slots.gates.take("one.only")
    for run in range(1_001):
        slots.ask(run, 0, "one.only", alone=False)
    slots.ended(9_999, 0, "one.only")
    for run in range(1_000):
        assert told.runs[-1] == run
        slots.heard(run, 0, alone=False, started=False)

    assert told.runs[-1] == 1_000


def test_an_action_at_its_own_limit_holds_up_no_other(slots: Slots) -> None:
    """The executor has room: another action's ask is served past the one that must wait."""
    told = Told(slots)
    slots.gates.take("one.only")
    slots.ask(1, 0, "one.only", alone=False)
    slots.ask(2, 0, "http.get", alone=False)

    assert told.runs == [2]


def test_asking_twice_is_asking_once(slots: Slots) -> None:
    """A resume asks again; the step takes one place."""
    told = Told(slots)
    slots.hold()
    slots.ask(1, 0, "file.read", alone=False)
    slots.ask(1, 0, "file.read", alone=False)
    slots.release()
    slots.ask(1, 0, "file.read", alone=False)
    slots.heard(1, 0, alone=False, started=False)

    assert told.calls == [(1, 0, False)]
    assert slots.permits()["file.read"] == 2


def test_nothing_starts_while_recovery_decides(slots: Slots) -> None:
    """Held slots permit nothing; then suspects go first, one after another, then the others in order."""
    told = Told(slots)
    slots.hold()
    for run in (1, 2):
        slots.ask(run, 0, "http.get", alone=False)
    for run in (8, 9):
        slots.ask(run, 0, "http.get", alone=True)
    assert slots.permits().get("http.get") == 0 and told.calls == []

    slots.release()
    assert told.calls == [(8, 0, True)]
    slots.heard(8, 0, alone=True, started=True)
    slots.gates.take("http.get")
    assert slots.permits().get("anything") == 0
    slots.ended(8, 0, "http.get")
    assert told.calls[1:] == [(9, 0, True)]
    slots.heard(9, 0, alone=True, started=True)
    slots.passed(9, 0, "http.get")
    assert told.calls[2:] == [(1, 0, False), (2, 0, False)]


def test_a_suspect_that_ended_meanwhile_does_not_keep_the_daemon(slots: Slots) -> None:
    """Its place alone goes to the next suspect."""
    told = Told(slots)
    slots.ask(1, 0, "http.get", alone=True)
    slots.ask(2, 0, "http.get", alone=True)
    slots.heard(1, 0, alone=True, started=False)

    assert told.calls == [(1, 0, True), (2, 0, True)]


def test_a_suspect_that_outlives_its_time_is_company_no_more(slots: Slots) -> None:
    """After 30 s the next suspect goes beside it; when all had their turn, so do the others."""
    told = Told(slots)
    for run in (1, 2):
        slots.ask(run, 0, "http.get", alone=True)
    slots.ask(3, 0, "http.get", alone=False)
    slots.heard(1, 0, alone=True, started=True)
    slots.gates.take("http.get")
    slots.outlived(1, 0)
    assert told.calls == [(1, 0, True), (2, 0, True)]

    slots.heard(2, 0, alone=True, started=True)
    slots.gates.take("http.get")
    slots.outlived(2, 0)
    assert told.calls[2:] == [(3, 0, False)]


def test_a_turn_that_was_not_written_keeps_no_place(slots: Slots) -> None:
    """What was reserved is free again."""
    permits = slots.permits()
    slots.gates.reserve("file.read")
    assert permits["file.write"] == 1

    slots.give_back()

    assert slots.permits()["file.write"] == 2


def test_any_order_of_events_leaves_no_place_lost() -> None:
    """Random starts, asks, refusals and ends: at the end everybody was served and every place is free."""
    for seed in range(200):
        dice = random.Random(seed)
        slots = Slots(EXECUTORS.__getitem__, {"inline": 3, "thread": 2}, lambda a: 1 if a == "one.only" else None)
        slots.gates.limit(EXECUTORS)
        told = Told(slots)
        actions = {run: dice.choice(list(EXECUTORS)) for run in range(40)}
        asked = list(actions)
        running: list[int] = []
        while asked or running or told.calls:
            choice = dice.random()
            if asked and choice < 0.4:
                run = asked.pop()
                slots.ask(run, 0, actions[run], alone=False)
            elif told.calls and choice < 0.8:
                run, step, alone = told.calls.pop(0)
                started = dice.random() < 0.8
                slots.heard(run, step, alone=alone, started=started)
                if started and dice.random() < 0.5:
                    slots.gates.take(actions[run])
                    running.append(run)
                elif started:
                    slots.passed(run, 0, actions[run])
            elif running:
                run = running.pop(dice.randrange(len(running)))
                slots.ended(run, 0, actions[run])
        assert slots.waiting() == 0
        assert all(gate.taken == gate.told == 0 for gates in slots.gates._known.values() for gate in gates)


def test_workflows_take_turns_at_a_full_executor(slots: Slots) -> None:
    """A workflow with a hundred steps in line lets another's step go next; that one's later steps take turns too."""
    told = Told(slots)
    slots.gates.take("file.read")
    slots.gates.take("file.read")
    for run in range(100):
        slots.ask(run, 0, "file.read", alone=False, share=("default", "flood"))
    for run in (500, 501):
        slots.ask(run, 0, "file.write", alone=False, share=("default", "quiet"))

    for _ in range(4):
        slots.ended(999, 0, "file.read")

    assert told.runs == [0, 500, 1, 501]


def test_steps_of_actions_that_are_not_loaded_wait_until_they_are() -> None:
    """A patient host permits them nothing, keeps who asks in order, and tells them once the action has arrived."""
    loaded = {"http.get": "inline"}
    slots = Slots(lambda action: loaded.get(action, "absent"), {"thread": 1}, patient=True)
    told = Told(slots)
    assert slots.permits().get("shop.price") == 0
    assert slots.permits().get("http.get") is None
    for run in (3, 1, 2):
        slots.ask(run, 0, "shop.price", alone=False)
    assert told.calls == []

    loaded["shop.price"] = "thread"
    slots.arrived(["shop.price"])

    assert told.runs == [3]
    slots.heard(3, 0, alone=False, started=False)
    slots.heard(1, 0, alone=False, started=False)
    assert told.runs == [3, 1, 2]


def test_steps_of_an_action_that_is_given_up_take_their_turns_and_so_do_those_that_come_later() -> None:
    """They begin in order and fail by themselves; once the action is loaded after all, its own limit holds."""
    said = {"slow.say": "absent"}
    slots = Slots(lambda action: said.get(action, "inline"), {"thread": 1}, patient=True)
    told = Told(slots)
    for run in (2, 1):
        slots.ask(run, 0, "slow.say", alone=False)

    said["slow.say"] = "unknown"
    slots.arrived(["slow.say"])
    slots.be_patient(False)
    assert told.runs == [2, 1]
    for run in (2, 1):
        slots.heard(run, 0, alone=False, started=True)
        slots.passed(run, 0, "slow.say")

    said["slow.say"] = "thread"
    slots.arrived(["slow.say"])
    assert slots.permits().get("slow.say") == 1


def test_a_suspect_whose_action_is_not_loaded_holds_up_nobody_and_runs_alone_when_it_is() -> None:
    """It is no suspect to wait for until then."""
    said = {"slow.say": "absent"}
    slots = Slots(lambda action: said.get(action, "inline"), patient=True)
    told = Told(slots)
    slots.ask(1, 0, "slow.say", alone=True)
    slots.ask(2, 0, "mock.noop", alone=False)
    assert told.calls == [(2, 0, False)]
    slots.heard(2, 0, alone=False, started=False)

    said["slow.say"] = "inline"
    slots.arrived(["slow.say"])

    assert told.calls[1:] == [(1, 0, True)]


def test_it_is_told_who_waits_longest_and_what_is_taken(slots: Slots) -> None:
    """The first that asked and was not told, since when; each executor with its permits taken and in all."""
    Told(slots)
    assert slots.oldest_ms() == 0
    for run in range(5):
        slots.ask(run, 0, "file.read", alone=False, since_ms=1_000 + run)
    assert slots.oldest_ms() == 1_002, "two may start"
    slots.heard(0, 0, alone=False, started=True)
    slots.gates.take("file.read")
    assert slots.gates.use()["thread"] == (1, 2)
    slots.ended(0, 0, "file.read")
    assert slots.oldest_ms() == 1_003
    assert slots.gates.use()["thread"] == (0, 2)
