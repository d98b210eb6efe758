"""Options: durations, bounds, strictness, marks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError, field_validator

from hostd.errors.base import HostdError
from hostd.host.options import check_literals
from hostd.plugin import Duration, Field, Options, format_duration, parse_duration
from hostd.plugin.option_reading import parse_options


class Sample(Options):
    """Every feature at once."""

    period: Duration = Field(description="A period.", gt="0s", le="1h")
    grace: Duration | None = Field(None, description="Optional.", ge="1s")
    wait: Duration = Field("1m30s", description="With a text default.")
    script: str = Field("", description="Code.", code=True)
    token: str = Field("", description="A secret.", secret=True)
    word: str = Field("", description="Renamed.", alias="if")


def problem(**written: object) -> str:
    """Return what is said about options that do not fit."""
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate(written)
    return caught.value.errors()[0]["msg"]


def test_a_duration_is_a_timedelta() -> None:
    """Duration text becomes a timedelta, in defaults too, and goes back to the shortest text."""
    options = Sample.model_validate({"period": "1m30s", "grace": "1.5s"})
    assert options.period == timedelta(seconds=90)
    assert options.grace == timedelta(seconds=1.5)
    assert options.wait == timedelta(seconds=90)
    assert options.model_dump(mode="json")["period"] == "1m30s"
    assert format_duration(parse_duration("36h")) == "1d12h"


def test_bounds_of_durations_hold() -> None:
    """A bound given as text is checked, inside an optional type too: pydantic alone lets `0s` pass `gt=0`."""
    assert "more than 0s" in problem(period="0s")
    assert "at most 1h" in problem(period="61m")
    assert "at least 1s" in problem(period="1s", grace="999ms")


@pytest.mark.parametrize("value", [10, 1.5, True, "10", "ten", "-1s", "1s ", "", ["1s"], None])
def test_what_is_no_duration_is_refused(value: object) -> None:
    """Numbers and malformed texts are refused; a number has no unit."""
    assert problem(period=value)


def test_a_wrong_bound_is_the_authors_mistake() -> None:
    """A bound that cannot be read fails where it is written."""
    with pytest.raises(ValueError, match="not a duration"):
        Field(gt="soon")


def test_unknown_keys_are_refused_and_values_frozen() -> None:
    """Options are strict about names and cannot be changed afterwards."""
    assert "Extra inputs" in problem(period="1s", perid="1s")
    options = Sample.model_validate({"period": "1s"})
    with pytest.raises(ValidationError):
        options.period = timedelta(seconds=2)  # type: ignore[misc]


def test_a_wrong_default_is_noticed() -> None:
    """A default is checked like a written value."""

    class Wrong(Options):
        period: Duration = Field("0s", gt="0s")

    with pytest.raises(ValidationError):
        Wrong()


def test_secrets_stay_out_of_representations() -> None:
    """Neither repr nor a validation error repeats a secret."""
    options = Sample.model_validate({"period": "1s", "token": "hunter2hunter2"})
    assert "hunter2" not in repr(options)
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate({"period": "1s", "token": ["hunter2hunter2"]})
    assert "hunter2" not in str(caught.value)


def test_the_schema_says_what_forms_need() -> None:
    """Bounds, code and secret stand in the JSON Schema."""
    properties = Sample.model_json_schema(by_alias=True)["properties"]
    assert properties["period"]["x-gt"] == "0s"
    assert properties["period"]["type"] == "string"
    assert properties["script"]["x-code"] is True
    assert properties["token"]["writeOnly"] is True
    assert "if" in properties


def test_a_refusal_says_what_would_do() -> None:
    """What the description says of a text's form, and the nearest option; never the value."""

    class Address(Options):
        url: str = Field(description="Address, http or https.", examples=["https://x.example"], pattern="^https?://")

    with pytest.raises(HostdError) as caught:
        parse_options(Address, {"url": "/orders", "ulr": 1}, owner="http.request")
    assert "url: does not have the form it must have (Address, http or https. Such as https://x.example)" in str(
        caught.value
    )
    assert "ulr: is no option (did you mean url?)" in str(caught.value) and "/orders" not in str(caught.value)


def test_a_check_that_breaks_is_a_refusal_without_the_value() -> None:
    """What a plugin's validator raises beside ValueError names the component, and nothing of what was given."""

    class Broken(Options):
        when: str = Field(description="A time.")

        @field_validator("when")
        @classmethod
        def _breaks(cls, when: str) -> str:
            raise OverflowError(f"cannot hold {when}")

    with pytest.raises(HostdError) as caught:
        parse_options(Broken, {"when": "hush"}, owner="t.broken")
    assert caught.value.reason == "OPTION_INVALID"
    assert caught.value.message == "t.broken: the plugin cannot check these options: OverflowError"
    assert check_literals(Broken, {"when": "hush"}, ()) == [
        ("", "the plugin cannot check these options: OverflowError")
    ]
    assert check_literals(Broken, {"when": "${{ input.x }}"}, ("when",)) == []
