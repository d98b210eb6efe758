"""What a process says it serves is looked at before anybody believes it."""

import pytest

from hostd.host.process.components import check_hello, codes_of
from hostd.plugin.v1 import host_pb2 as pb


def hello(*codes: tuple[str, str]) -> pb.Hello:
    """Return a Hello whose action has codes of its failures."""
    told = [pb.FailureCode(code=code, meaning=meaning) for code, meaning in codes]
    return pb.Hello(components=[pb.Component(kind="action", id="shop.charge", effects="none", codes=told)])


def test_codes_are_taken_in_the_plugins_order() -> None:
    """As many as are allowed, none at all too."""
    codes = {f"CODE_{number}": "x" * 1_000 for number in range(199, -1, -1)}
    (component,) = check_hello(hello(*codes.items()))
    assert list(codes_of(component).items()) == list(codes.items())
    assert codes_of(check_hello(hello())[0]) == {}


@pytest.mark.parametrize(
    "codes, says",
    [
        ([("declined", "No money.")], "'declined' is no code"),
        ([("", "No money.")], "'' is no code"),
        ([("C" * 101, "No money.")], "of at most 100 characters"),
        ([("DECLINED", "")], "DECLINED needs to say what it means"),
        ([("DECLINED", "x" * 1_001)], "in at most 1000 characters"),
        ([("DECLINED", "No money."), ("DECLINED", "No card.")], "shop.charge names a code of its failures twice"),
        ([(f"CODE_{number}", "No money.") for number in range(201)], "there are 201; at most 200"),
    ],
)
def test_codes_that_cannot_be_shown_are_refused(codes: list[tuple[str, str]], says: str) -> None:
    """With the component, the code and what is taken."""
    with pytest.raises(ValueError, match=says) as caught:
        check_hello(hello(*codes))
    assert "shop.charge" in str(caught.value)
