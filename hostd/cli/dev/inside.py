"""The daemon inside `hostd dev`: the one that `hostd serve` runs, on this process's event loop. Like cli/local.py, this
module alone of its folder reaches lower.
"""

from __future__ import annotations

import logging
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hostd.config.load import Loaded
    from hostd.daemon import Daemon

DATA = ".hostd"
PLUGINS = "plugins"
CONFIG = "hostd.yaml"
GRACE_S = 2.0  # what runs when dev is left goes on when it is started again
LOG_BYTES_MAX = 5 * 1024 * 1024
_PORTS = (("listen", "127.0.0.1:7420"), ("http.listen", "127.0.0.1:7421"))

TellLog = Callable[[str, str], None]
"""Takes level and text of an event of the daemon's log that a person should see."""


class Wishes(NamedTuple):
    """What the command line says; None is not said."""

    config_file: Path | None = None
    listen: str | None = None
    http: str | None = None
    memory: bool = False
    log_level: str | None = None


class Inside:
    """A daemon on a folder's data. Made by `prepare`; `start` opens it, `stop` closes it."""

    def __init__(self, loaded: Loaded, read: Callable[[], Loaded], passing: tempfile.TemporaryDirectory[str] | None):
        self.data = loaded.config.data
        self.plugins = loaded.config.plugins.dir or self.data / PLUGINS
        self.log = self.data / "dev.log"
        self.level = loaded.config.log.level
        self.grpc = self.http = ""
        self._loaded, self._read = loaded, read
        self._passing = passing
        self._daemon: Daemon | None = None
        self._logging: list[logging.Handler] = []

    async def start(self, tell: TellLog) -> None:
        """Open everything; the ports answer then. Raises ADDRESS_IN_USE, JOURNAL_LOCKED and what else is in the way."""
        from hostd.config.data_folder import make_data_folder
        from hostd.daemon import Daemon

        make_data_folder(self.data)
        with suppress(OSError):
            (self.data / ".gitignore").write_text("*\n", encoding="utf-8")
        self._logging = _log_to(self.log, self.level, tell)
        daemon = self._daemon = Daemon(self._loaded.config)
        daemon.core.settings.follow(self._loaded, self._read)
        await daemon.start()
        bound = daemon.core.front.admin
        self.grpc, self.http = bound.grpc_address, bound.http_address

    async def stop(self) -> None:
        """Close the daemon, and take away what was to be kept nowhere."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            await daemon.stop(GRACE_S)
        for handler in self._logging:
            logging.getLogger().removeHandler(handler)
            handler.close()
        if self._passing is not None:
            self._passing.cleanup()


def prepare(folder: Path, wishes: Wishes) -> Inside:
    """Read the configuration of a folder's daemon: data in `.hostd`, plugins in `plugins`, else as `hostd serve`.

    Raises CONFIG_INVALID. Blocks.
    """
    from hostd.config.load import load_config

    passing = tempfile.TemporaryDirectory(prefix="hostd-dev-") if wishes.memory else None
    own = folder / CONFIG
    file = wishes.config_file or (own if own.is_file() else None)
    flags: dict[str, Any] = {
        "data": passing.name if passing else str(folder / DATA),
        "listen": wishes.listen,
        "http.listen": wishes.http,
        "journal.store": "memory" if wishes.memory else None,
        "log.level": wishes.log_level,
    }
    said = load_config(flags=flags, file=file).origins
    if "plugins.dir" not in said:
        flags["plugins.dir"] = str(folder / PLUGINS)
    for key, address in _PORTS:
        if key not in said:
            flags[key] = _free_or_any(address)

    def read() -> Loaded:
        return load_config(flags=flags, file=file)

    return Inside(read(), read, passing)


def _free_or_any(address: str) -> str:
    """Return the port of `hostd serve` where nobody has it, else one that the system chooses."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return f"{host}:0"
    return address


class _Teller(logging.Handler):
    """Passes on the warnings that a person should see, but those that dev tells of in its own way."""

    def __init__(self, tell: TellLog) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on an event, not the same twice in a row."""
        from hostd.telemetry.logs import event_of

        name, fields = event_of(record)
        if not record.name.startswith("hostd.") or record.name.startswith("hostd.host"):
            return
        if name.startswith("loop_stall") and fields.get("plugin") == "none":
            return  # the machine is slow, or it is this program's own doing: the log has it
        text = " ".join([name, *(f"{key}={value}" for key, value in fields.items())]).partition("\n")[0]
        if text != self._last:
            self._last = text
            self._tell(record.levelname.lower(), text)


def _log_to(file: Path, level: str, tell: TellLog) -> list[logging.Handler]:
    """Send the log into a file, the newest last; the screen is for the person. Return what takes it there."""
    from hostd.telemetry.logs import TextFormatter, set_log_level

    handler = RotatingFileHandler(file, maxBytes=LOG_BYTES_MAX, backupCount=1, encoding="utf-8")
    handler.setFormatter(TextFormatter())
    handlers: list[logging.Handler] = [handler, _Teller(tell)]
    logging.getLogger().handlers[:] = handlers
    logging.captureWarnings(True)
    set_log_level(level)
    return list(handlers)


class Named(NamedTuple):
    """What a document is, a `workflow` or a `trigger` of its own, and its name; both empty where it cannot be read."""

    kind: str = ""
    name: str = ""


def named(document: str) -> Named:
    """Return what a document is, as far as it can be read."""
    from hostd.definition.document import read_documents

    documents, _ = read_documents(document)
    root = documents[0].root if documents else None
    if root is None or root.kind != "map":
        return Named()
    for kind in ("workflow", "trigger"):
        node = root.value.get(kind)
        if node is not None and node.kind == "text":
            return Named(kind, node.value)
    return Named()


class TriggerAbout(NamedTuple):
    """A trigger of a document as it is listed. `path`: of a webhook; `detail`: its options in short."""

    name: str
    uses: str
    path: str
    detail: str


def triggers_of(document: str) -> list[TriggerAbout]:
    """Return the triggers of a document that was registered."""
    from hostd.definition.document import read_documents
    from hostd.definition.nodes import value_of

    documents, _ = read_documents(document)
    whole = value_of(documents[0].root) if documents else {}
    found = whole.get("triggers") or {}
    if "trigger" in whole:
        found = {whole["trigger"]: whole}
    return [_trigger_about(name, each) for name, each in found.items()]


def _trigger_about(name: str, trigger: dict[str, Any]) -> TriggerAbout:
    from hostd.values.json_text import dump_json

    options = trigger.get("with") or {}
    webhook = trigger["uses"] == "http.webhook" and isinstance(options.get("path"), str)
    told = [
        f"{key}: {value if isinstance(value, str) else dump_json(value).decode()}" for key, value in options.items()
    ]
    return TriggerAbout(name, trigger["uses"], options["path"].strip("/") if webhook else "", ", ".join(told))
