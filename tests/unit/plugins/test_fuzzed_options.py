"""Whatever stands under `with`, the answer is options or violations, never an accident."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.errors.base import HostdError, Violation
from hostd.host.discover import find_built_in
from hostd.host.host import PluginHost
from hostd.plugin.option_reading import option_names

REGISTRY = PluginHost().load(find_built_in())
ENTRIES = {entry.id: entry for entry in [*REGISTRY.actions.values(), *REGISTRY.triggers.values()]}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["10s", "0s", "-1s", "POST", "http://x.example", "http://[::1", "* * * * *", "*/0 * * * *", "UTC", "basic",
         "bearer", "${{ input.x }}", "2xx", "\x00", "a" * 9_000, "../x", "x@y", "http://x@y/", "9" * 400 + "w"]
    ),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=8), st.sampled_from(["type", "token", "username", "cpu_ms"])), inner, max_size=4
        ),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("component", sorted(ENTRIES))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_options_are_parsed_or_refused(component: str, data: st.DataObject) -> None:
    """Parsing gives the model or OPTION_INVALID / NOT_YET_SUPPORTED with violations; judging literals never raises.

    What the literal check passes with nothing templated is refused later only for keys that are missing or unknown.
    """
    entry = ENTRIES[component]
    names = st.one_of(st.sampled_from([*option_names(entry.options), "nope"]), st.text(max_size=5))
    options: Any = data.draw(st.one_of(st.dictionaries(names, VALUES, max_size=6), VALUES))
    violations: tuple[Violation, ...] = ()
    try:
        entry.parse(options)
    except HostdError as error:
        refused, violations = error.reason, error.violations
        assert refused in ("OPTION_INVALID", "NOT_YET_SUPPORTED")
        assert violations
    if not isinstance(options, dict):
        return
    found = entry.check_literals(options, frozenset())
    by_key = ("is required", "is no option")
    assert {path for path, _ in found} <= {fault.path for fault in violations}
    assert found or all(fault.message in by_key for fault in violations)
    assert not any(message == "is no option" for path, message in found if path in options)
    templated = frozenset(name for name, value in options.items() if "${{" in str(value))
    entry.check_literals(options, templated)
