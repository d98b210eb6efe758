"""All mistakes: importing this fills `MISTAKES`, in the order of the page."""

from __future__ import annotations

from mistakes import documents  # isort: skip  the page begins with it
from mistakes import commands_and_clients, daemons, plugins, webhooks
from mistakes.kit import MISTAKES

__all__ = ["MISTAKES", "commands_and_clients", "daemons", "documents", "plugins", "webhooks"]
