"""The configuration: from views to the wire."""

from __future__ import annotations

from hostd.api.convert.payloads import json_payload
from hostd.model.configuration import ConfigView, ReloadedView
from hostd.v1 import admin_service_pb2 as wire
from hostd.values.json_text import dump_json


def config_message(view: ConfigView) -> wire.EffectiveConfig:
    """Return what holds."""
    values = [
        wire.ConfigValue(
            key=line.key,
            value=json_payload(dump_json(line.value)),
            origin=line.origin,
            reloadable=line.reloadable,
            restart_needed=line.restart_needed,
        )
        for line in view.values
    ]
    return wire.EffectiveConfig(values=values, file=view.file, log_levels=view.log_levels)


def reloaded_message(view: ReloadedView) -> wire.ReloadConfigResponse:
    """Return what a reload found."""
    changes = [
        wire.ConfigChange(
            key=change.key,
            before=json_payload(dump_json(change.before)),
            after=json_payload(dump_json(change.after)),
            origin=change.origin,
            restart_needed=change.restart_needed,
        )
        for change in view.changes
    ]
    return wire.ReloadConfigResponse(changes=changes, file=view.file)
