"""Run ids: fresh each time, placed by key, else by request."""

from __future__ import annotations

import random

from hostd.model.ids import placement_of
from hostd.runtime.ring.starts import StartMaker, event_request_id


def placements(**fields: str) -> set[int]:
    """Return the placements of many ids made alike."""
    maker = StartMaker(random=random.Random(1), env_allowed=(), environ={})
    given = {"key": "", "request_id": ""} | fields
    ids = [maker.new_run_id("default", "w", now_ms=1_700_000_000_000 + n, **given) for n in range(50)]
    assert len(set(ids)) == 50
    return {placement_of(each) for each in ids}


def test_runs_of_one_key_share_their_placement() -> None:
    """So do tries of one request; without either they spread."""
    assert len(placements(key="k")) == 1
    assert len(placements(request_id="r")) == 1
    assert placements(key="k") == placements(key="k", request_id="other")
    assert len(placements()) > 40


def test_an_event_names_its_start_by_trigger_and_id() -> None:
    """The same event of the same trigger gives the same name; two triggers may see the same id."""
    assert event_request_id("w/t", "e") == event_request_id("w/t", "e")
    assert event_request_id("w/t", "e") != event_request_id("w/u", "e")
