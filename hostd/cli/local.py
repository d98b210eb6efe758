"""The daemon and its configuration. With its kind, local_*.py, it alone of the command line reaches lower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Violation

if TYPE_CHECKING:
    from hostd.config.load import Loaded


def run_daemon(flags: dict[str, Any], config_file: Path | None) -> int:
    """Run the daemon until a signal; return its exit code. Raises CONFIG_INVALID and what keeps it from starting."""
    from hostd.config.load import load_config

    def read() -> Loaded:
        return load_config(flags=flags, file=config_file)

    loaded = read()
    from hostd.serving import serve

    return serve(loaded, read)


def configuration(flags: dict[str, Any], config_file: Path | None) -> list[dict[str, Any]]:
    """Return every key with value and origin. Raises CONFIG_INVALID."""
    from hostd.config.load import load_config
    from hostd.config.shown import shown_values

    return [shown._asdict() for shown in shown_values(load_config(flags=flags, file=config_file))]


class Checked(NamedTuple):
    """What is wrong with a configuration, what is doubtful, and the file that was read."""

    mistakes: list[Violation]
    warnings: list[str]
    file: Path | None


def check_configuration(flags: dict[str, Any], config_file: Path | None) -> Checked:
    """Return every mistake that would keep `hostd serve` from starting with a configuration, or a plugin from loading.

    What is deeper (files that are named, plugins' settings) is looked at once everything else is right.
    """
    from hostd.config.load import load_config

    try:
        loaded = load_config(flags=flags, file=config_file)
    except HostdError as error:
        return Checked(list(error.violations), [], config_file)
    faults, warnings = _settings_faults(loaded)
    faults = sorted([*_tls_faults(loaded), *faults], key=lambda fault: (fault.line, fault.column))
    return Checked(faults, warnings, loaded.file)


def _tls_faults(loaded: Loaded) -> list[Violation]:
    from hostd.api.listening import read_credentials
    from hostd.daemon import http_tls

    try:
        http_tls(loaded.config)
        read_credentials(loaded.config.tls)
    except HostdError as error:
        return [_fault_at(loaded, ("tls",), error.reason, error.message)]
    return []


def _settings_faults(loaded: Loaded) -> tuple[list[Violation], list[str]]:
    """Return the mistakes in plugins' settings, and the settings that nothing takes."""
    import logging

    from hostd.host.host import PluginHost
    from hostd.runtime.room_options import plugin_choices

    logging.getLogger("hostd").setLevel(logging.CRITICAL)  # what would be logged is in the answer
    host = PluginHost(plugin_choices(loaded.config))
    reports = host.load().plugins
    faults = []
    for report in reports:
        owner, _, said = report.message.partition(": ")
        if report.reason == "OPTION_INVALID" and owner.startswith("plugins.settings."):
            for one in said.split("; "):
                option, plugin = one.partition(": ")[0], f"plugins.settings.{report.id}"
                keys = (f"{owner}.{option}", f"{plugin}.{option}", owner, plugin)
                faults.append(_fault_at(loaded, keys, "OPTION_INVALID", one))
    failed = {report.id for report in reports if report.reason}
    unused = [key for key in host.unused_settings() if key.partition(".")[0] not in failed]
    told = "no built-in or installed plugin takes them; one in the plugins folder may"
    return faults, [f"plugins.settings.{key}: {told}" for key in unused]


def _fault_at(loaded: Loaded, keys: tuple[str, ...], reason: str, message: str) -> Violation:
    """Return a mistake of the first key, at the place of the first of all that the file has."""
    place = next((loaded.marks[key] for key in keys if key in loaded.marks), (0, 0))
    return Violation(keys[0], reason, message, "", str(loaded.file or "") if place[0] else "", *place)
