"""The triggers that live, in order."""

from __future__ import annotations

from random import Random

from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.trigger_live import Live, Name


async def test_pages_hold_what_lives_in_order() -> None:
    """Whatever came and went, a page is what a search through all of them finds."""
    dice, known, live = Random(7), dict[Name, Live](), LiveTriggers()
    names = [(namespace, workflow, name) for namespace in "ab" for workflow in ("", "v", "w") for name in "xyz"]
    for _ in range(500):
        name = dice.choice(names)
        if name in known and dice.random() < 0.5:
            del known[name]
            live.remove(name)
        else:
            known[name] = Live(None)  # type: ignore[arg-type]  # what it is made of is not looked at
            live.put(name, known[name])
        namespace, workflow, after = dice.choice("ab"), dice.choice(("", "v", "w")), dice.choice(names)[1:]
        limit = dice.choice((None, 1, 3))
        fits = [
            known[name]
            for name in sorted(known)
            if name[0] == namespace and workflow in ("", name[1]) and name[1:] > after
        ]
        assert live.page(namespace, workflow, after=after, limit=limit) == fits[:limit]
        assert list(live) == [known[name] for name in sorted(known)]
        assert (live.names(), len(live)) == (known.keys(), len(known))
