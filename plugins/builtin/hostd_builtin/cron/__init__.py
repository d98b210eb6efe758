"""Cron: `cron.schedule`, a cron expression, `cron.every`, a fixed period, and `cron.at`, listed times."""

from hostd.plugin import Registry, hookimpl
from hostd_builtin.cron.every import Every
from hostd_builtin.cron.once import At
from hostd_builtin.cron.schedule import CronSchedule


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the triggers."""
    registry.trigger(Every)
    registry.trigger(CronSchedule)
    registry.trigger(At)
