"""The configuration on the wire."""

from hostd.api.convert.configuration import config_message, reloaded_message
from hostd.client import from_payload
from hostd.model.configuration import ConfigChangeView, ConfigValueView, ConfigView, ReloadedView


def test_values_keep_their_types() -> None:
    """Numbers, lists, truth and nothing come as JSON of the same."""
    values = (3, "90d", ["a"], True, None, {"http": {"retries": 2}})
    view = ConfigView(
        tuple(ConfigValueView(f"k{n}", value, "default") for n, value in enumerate(values)), "f", {"": "debug"}
    )

    message = config_message(view)

    assert [from_payload(line.value) for line in message.values] == list(values)
    assert (message.file, dict(message.log_levels)) == ("f", {"": "debug"})


def test_changes_say_before_and_after() -> None:
    """And what waits for a restart."""
    change = ConfigChangeView("lua.workers", 4, 2, "env HOSTD_LUA__WORKERS", restart_needed=True)

    (line,) = reloaded_message(ReloadedView((change,), "")).changes

    assert (line.key, from_payload(line.before), from_payload(line.after)) == ("lua.workers", 4, 2)
    assert (line.origin, line.restart_needed) == ("env HOSTD_LUA__WORKERS", True)
