"""Parsing rendered options, and judging literal ones before anything is rendered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import model_validator

from hostd.errors.base import HostdError, Kind
from hostd.host.options import check_literals
from hostd.host.pages import options_table
from hostd.plugin import Duration, Field, OptionNotSupported, Options
from hostd.plugin.option_reading import code_fields, json_schema, parse_options, sample


class Basic(Options):
    type: Literal["basic"]
    user: str


class Bearer(Options):
    type: Literal["bearer"]
    token: str = Field(secret=True)


class Sample(Options):
    url: str = Field(description="Where to.", pattern="^https://", examples=["https://x.example"])
    timeout: Duration = Field("10s", description="How long.", gt="0s")
    retries: int = Field(0, description="How often.", ge=0)
    auth: Annotated[Basic | Bearer, Field(discriminator="type")] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    items: list[int] = Field(default_factory=list)
    script: str = Field("", code=True)
    zone: str = "UTC"

    @model_validator(mode="after")
    def _zone(self) -> Sample:
        if self.zone != "UTC":
            raise OptionNotSupported("only UTC so far")
        if self.retries > 3 and "flaky" in self.url:
            raise ValueError("retries do not fit the url")
        return self


GOOD = {"url": "https://x.example"}


def refused(rendered: Any) -> HostdError:
    """Return the error for options that do not fit."""
    with pytest.raises(HostdError) as caught:
        parse_options(Sample, rendered, owner="sample.one")
    return caught.value


def test_every_fault_is_a_violation_with_its_path() -> None:
    """Wrong values deep inside, missing and unknown keys: all at once, with paths as documents write them."""
    error = refused(
        {"urll": 1, "retries": -1, "auth": {"type": "bearer"}, "headers": {"x-y": 1, "odd key": 1}, "items": [1, "a"]}
    )
    assert (error.kind, error.reason) == (Kind.INVALID, "OPTION_INVALID")
    paths = {fault.path: fault for fault in error.violations}
    assert set(paths) == {"url", "urll", "retries", "auth.token", "headers.x-y", 'headers["odd key"]', "items[1]"}
    assert paths["urll"].suggestion == "did you mean url?"
    assert error.message.startswith("sample.one: ")


def test_no_message_repeats_a_value() -> None:
    """A rendered option may hold a secret."""
    error = refused({"url": "hunter2hunter2", "auth": {"type": "bearer", "token": ["hunter2hunter2"]}})
    assert "hunter2" not in error.message + repr(error.violations)


def test_a_known_word_that_is_not_built_has_its_own_reason() -> None:
    """OptionNotSupported becomes NOT_YET_SUPPORTED when nothing else is wrong."""
    error = refused(GOOD | {"zone": "Europe/Berlin"})
    assert (error.kind, error.reason) == (Kind.UNSUPPORTED, "NOT_YET_SUPPORTED")
    assert refused({"url": "x", "zone": "Mars"}).reason == "OPTION_INVALID"


@pytest.mark.parametrize("rendered", ["text", [1], 5, True])
def test_options_are_a_mapping(rendered: Any) -> None:
    """Anything else is refused, never INTERNAL; null is an empty mapping."""
    assert refused(rendered).reason == "OPTION_INVALID"
    assert refused(None).violations[0].path == "url"


def test_literals_are_judged_by_themselves() -> None:
    """What holds an expression, lies below one, or is a check across fields has to wait; the rest is judged now."""
    options: dict[str, Any] = {
        "url": "${{ input.url }}",
        "timeout": "0s",
        "retries": "${{ input.n }}",
        "headers": {"a": "${{ input.a }}", "b": 1},
        "items": ["${{ input.x }}", "y"],
        "auth": {"type": "bearer", "tokn": "x"},
    }
    found = check_literals(Sample, options, {"url", "retries", "headers.a", "items[0]"})
    assert dict(found) == {
        "timeout": "must be more than 0s",
        "headers.b": "should be a valid string",
        "items[1]": "should be a valid integer, unable to parse string as an integer",
        "auth.token": "is required (add `auth.token`)",
        "auth.tokn": "is no option",
    }


def test_checks_across_fields_wait_for_the_last_expression() -> None:
    """A validator over several fields counts when all is literal, and not before."""
    options: dict[str, Any] = {"url": "https://flaky.example", "retries": 9}
    assert check_literals(Sample, options, set()) == [("", "retries do not fit the url")]
    assert check_literals(Sample, options | {"script": "${{ x }}"}, {"script"}) == []


def test_missing_and_unknown_keys_at_the_top_are_left_to_the_compiler() -> None:
    """The compiler reports them with their lines, from the schema."""
    assert check_literals(Sample, {"nope": 1}, set()) == []


def test_what_is_told_of_a_model() -> None:
    """Code fields, schema, sample and table come from the one model."""
    assert code_fields(Sample) == {"script"}
    assert json_schema(Sample)["required"] == ["url"]
    assert json_schema(Sample)["additionalProperties"] is False
    assert sample(Sample) == {"url": "https://x.example"}
    table = options_table(Sample)
    assert "| `url` | text | required | Where to. |" in table
    assert '| `timeout` | duration | `"10s"` | How long. |' in table
    assert "| `headers` | map | `{}` |" in table
