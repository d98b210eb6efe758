"""Everything the control plane asks for, in one place: what api/ports.py calls Ports, over the rooms of the runtime."""

from __future__ import annotations

from typing import NamedTuple

from hostd.runtime.desks.administration import Administration
from hostd.runtime.desks.event_desk import EventDesk
from hostd.runtime.desks.plugin_desk import PluginDesk
from hostd.runtime.desks.plugin_shelf import PluginShelf
from hostd.runtime.desks.plugin_watch import PluginWatch
from hostd.runtime.desks.script_desk import ScriptDesk
from hostd.runtime.desks.secret_desk import SecretDesk
from hostd.runtime.desks.settings_desk import SettingsDesk
from hostd.runtime.runs.runs import Runs
from hostd.runtime.triggers.dead_letters import DeadLetters
from hostd.runtime.triggers.schedules import Schedules
from hostd.runtime.triggers.trigger_desk import TriggerDesk
from hostd.runtime.triggers.trigger_trials import TriggerTrials
from hostd.runtime.workflows.workflow_store import WorkflowStore


class Front(NamedTuple):
    """One object a service."""

    runs: Runs
    workflows: WorkflowStore
    triggers: TriggerDesk
    trials: TriggerTrials
    schedules: Schedules
    dead_letters: DeadLetters
    events: EventDesk
    plugins: PluginShelf
    plugin_watch: PluginWatch
    installs: PluginDesk
    scripts: ScriptDesk
    secrets: SecretDesk
    admin: Administration
    settings: SettingsDesk
