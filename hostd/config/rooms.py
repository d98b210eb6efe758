"""The configuration, one model per room; the reference page is generated from what stands here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic.fields import FieldInfo

from hostd.config.types import Address, Duration, Size

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
GROUP_MAX = 100
PluginId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def live(default: Any, **rules: Any) -> Any:
    """Return a field that a reload changes while the daemon runs; what is a plain `Field` waits for a restart."""
    return Field(default, json_schema_extra={"reloadable": True}, **rules)


def is_live(field: FieldInfo) -> bool:
    """Say whether a reload changes a key."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("reloadable") is True


class Room(BaseModel):
    """Frozen, and nothing unknown is ignored. Built once, with the whole, not each by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


def room() -> Any:
    """Return the field of a room inside another, where nothing is said of it all of its defaults."""
    return Field({}, validate_default=True)


class Tls(Room):
    """Certificates of the gRPC port and the HTTP port."""

    certificate: Path | None = Field(None, description="PEM file with the certificate chain.")
    key: Path | None = Field(None, description="PEM file with the private key.")
    key_password: SecretStr | None = Field(
        None, description="Password of the private key, where it has one; needs `pip install 'hostd[secrets]'`."
    )
    client_ca: Path | None = Field(
        None, description="PEM file; where set, gRPC clients must show a certificate it signed."
    )


class Http(Room):
    """The HTTP port: webhooks, health and metrics."""

    listen: Address = Field("127.0.0.1:7421", description="Address of the HTTP port, or `off`.")
    body_max: Size = live(MIB, ge=1 * KIB, le=MIB, description="Largest body a webhook takes.")
    body_timeout: Duration = live(
        timedelta(seconds=10), gt=timedelta(0), le=HOUR, description="Time a client has to send its whole body."
    )
    headers_max: int = live(64, ge=8, le=1000, description="Most headers a request may have.")
    connections_max: int = live(1000, ge=1, le=100_000, description="Most requests answered at once; the next get 503.")
    hosts: tuple[str, ...] = live(
        (), description="Names this daemon is called by, beside loopback and the address it listens on (Host header)."
    )
    origins: tuple[str, ...] = live(
        (), description="Web origins whose pages may call it, such as `https://ui.example` (Origin header)."
    )


def _in_one_group(groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    seen: dict[str, str] = {}
    for name, members in groups.items():
        if len(members) > GROUP_MAX:
            raise ValueError(f"the group {name} has {len(members)} plugins; at most {GROUP_MAX} share a process")
        for member in members:
            if member in seen:
                raise ValueError(f"the plugin {member} is in {seen[member]} and in {name}; it has one process")
            seen[member] = name
    return groups


class PluginLimits(Room):
    """What each plugin process may take."""

    memory: Size = Field(1024 * MIB, ge=64 * MIB, description="Data it may allocate.")
    files: int = Field(1024, ge=32, le=1_000_000, description="Files and connections open at once.")
    file_size: Size = Field(1024 * MIB, ge=MIB, description="Largest file it may write.")
    cpu: float = Field(
        0.0,
        ge=0.0,
        le=1024.0,
        description="Processors used, on average over ten seconds, before it is killed; 0 = any.",
    )
    attempts: int = Field(100, ge=1, le=10_000, description="Attempts of one action at once.")
    start: Duration = Field(
        timedelta(seconds=30), ge=timedelta(seconds=1), le=10 * MINUTE, description="Time it has to connect."
    )
    answer: Duration = Field(
        timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=HOUR,
        description="Time its event loop may stand still; then it is killed.",
    )
    idle: Duration = Field(
        10 * MINUTE,
        ge=timedelta(0),
        description="Time without work after which one ends, to be started again on its next use; 0s = never. "
        "Configured triggers are work.",
    )
    orphan: Duration = Field(
        timedelta(seconds=30),
        ge=timedelta(0),
        le=HOUR,
        description="Time it waits for the next daemon after this one; then it, and all it started, is ended.",
    )


class Plugins(Room):
    """Which plugins load, and how."""

    dir: Path | None = Field(
        None,
        description="Folder whose sub-folders are plugins, watched while the daemon runs; unset: `<data>/plugins`.",
    )
    install: Literal["local", "always", "never"] = live(
        "local",
        description="Who may install plugins, which runs code: `local` over the Unix socket only, `always` whoever has "
        "the token, `never` nobody.",
    )
    inline: tuple[PluginId, ...] = Field(
        (), description="Plugins, other than built-in ones, trusted to run inside the daemon. They can stop it."
    )
    thread: tuple[PluginId, ...] = Field(
        (),
        description="Plugins trusted to run inside the daemon, but on an event loop and in threads of their own: "
        "a blocking call holds up only the plugin; a crash still takes the daemon with it.",
    )
    process: tuple[PluginId, ...] = Field(
        (), description="Built-in plugins that run in a process of their own, as all others do unless trusted."
    )
    groups: Annotated[dict[PluginId, tuple[PluginId, ...]], AfterValidator(_in_one_group)] = Field(
        {},
        description="Plugins in Python that share one process, by a name of your choice: each costs 40 MB less. "
        "They can see and disturb one another, and what ends the process ends it for all.",
    )
    limits: PluginLimits = room()
    allow: tuple[PluginId, ...] | None = Field(None, description="Only these plugins load; unset means all.")
    deny: tuple[PluginId, ...] = Field((), description="These plugins never load.")
    settings: dict[str, dict[str, Any]] = Field(
        {}, description="Plugin id to the operator's settings of that plugin; each plugin checks its own."
    )
    safe_mode: bool = Field(False, description="Load built-in plugins only.")
    trace: bool = Field(False, description="Log the calls of hooks of plugins inside the daemon, as they register.")


class LuaLimits(Room):
    """Upper bounds of one script. Workflows may ask for less, never for more."""

    cpu: Duration = Field(
        timedelta(seconds=1), ge=timedelta(milliseconds=10), le=MINUTE, description="Processor time of a script."
    )
    slice: Duration = Field(
        timedelta(seconds=2),
        ge=timedelta(milliseconds=100),
        le=2 * MINUTE,
        description="Wall time between two host calls; then the worker is killed.",
    )
    memory: Size = Field(32 * MIB, ge=4 * MIB, le=512 * MIB, description="Memory of the Lua runtime.")
    input: Size = Field(MIB, ge=KIB, le=16 * MIB, description="Input as JSON.")
    output: Size = Field(MIB, ge=KIB, le=16 * MIB, description="Output as JSON.")
    reply: Size = Field(MIB, ge=KIB, le=16 * MIB, description="Each reply of a host call as JSON.")
    source: Size = Field(64 * KIB, ge=KIB, le=MIB, description="Source text.")
    string: Size = Field(8 * MIB, ge=KIB, le=64 * MIB, description="One string.")
    pattern: Size = Field(256, ge=16, le=4 * KIB, description="One pattern of the string library.")
    coroutines: int = Field(10_000, ge=1, le=1_000_000, description="Coroutines made.")
    host_calls: int = Field(500, ge=0, le=100_000, description="Host calls made.")
    log: Size = Field(64 * KIB, ge=0, le=4 * MIB, description="Log text written.")


class Lua(Room):
    """Lua scripts and the processes they run in."""

    isolation: Literal["available", "required"] = Field(
        "available",
        description="`available` uses what the system permits; `required` refuses to run scripts below the full set.",
    )
    workers: int = Field(4, ge=1, le=256, description="Scripts at once.")
    spare: int = Field(1, ge=0, le=64, description="Workers kept ready.")
    limits: LuaLimits = room()


class Journal(Room):
    """The durable store."""

    store: Literal["sqlite", "memory"] = Field(
        "sqlite", description="`memory` keeps nothing: for trying things out and tests."
    )
    accept_loss: bool = Field(
        False, description="Start although acknowledged batches are missing at the journal's end, without them."
    )


class Retention(Room):
    """How long things are kept; `0s` keeps them for ever. A workflow may have its own `retention` for runs and logs."""

    runs: Duration = live(30 * DAY, ge=timedelta(0), description="Finished runs and their history.")
    logs: Duration = live(7 * DAY, ge=timedelta(0), description="Logs of attempts.")
    events: Duration = live(7 * DAY, ge=timedelta(0), description="Events, or until `events_size` is reached.")
    events_size: Size = live(
        GIB, ge=MIB, le=1024 * GIB, description="Size of all events together; past it the oldest go, however young."
    )
    dedup_keys: Duration = live(7 * DAY, ge=timedelta(0), description="Event ids by which triggers know a repetition.")
    dedup_keys_max: int = live(100_000, ge=100, le=10_000_000, description="Most event ids kept for one trigger.")
    request_ids: Duration = live(24 * HOUR, ge=HOUR, description="Request ids by which a repeated request is known.")
    dead_letters: Duration = live(30 * DAY, ge=timedelta(0), description="Events that could not be handled.")
    audit: Duration = live(365 * DAY, ge=timedelta(0), description="Who changed what (`hostd audit list`).")


class Limits(Room):
    """Bounds of everything that could grow."""

    runs_in_memory: int = live(
        10_000, ge=10, le=10_000_000, description="Live runs held in memory; the rest waits in the journal."
    )
    doors: int = live(10_000, ge=10, le=1_000_000, description="Requests waiting for the engine; past it INTAKE_FULL.")
    watches: int = live(
        1000, ge=1, le=100_000, description="Watches of runs, triggers and topics open at once; past it WATCHES_FULL."
    )
    inline: int = live(1000, ge=1, le=100_000, description="Waiting inline attempts at once.")
    threads: int = live(32, ge=1, le=1024, description="Attempts in threads at once.")
    processes: int = live(1000, ge=1, le=100_000, description="Attempts in plugin processes at once.")
    cancel_grace: Duration = live(
        timedelta(seconds=30), ge=timedelta(0), le=HOUR, description="Time a running attempt has to answer a cancel."
    )
    drain: Duration = live(
        timedelta(seconds=30), ge=timedelta(0), le=HOUR, description="Time running attempts have when the daemon stops."
    )


class Log(Room):
    """What the daemon writes about itself, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = live("info", description="Least severe level written.")
    format: Literal["text", "json"] = live("text", description="One line an event: `noun_verb key=value`, or JSON.")
    attempts: Literal["debug", "info", "warning", "error", "off"] = live(
        "off", description="Least severe level of lines of attempts that are written here too, beside their own logs."
    )


class Otel(Room):
    """OpenTelemetry: where traces and metrics are sent, by OTLP; needs `pip install 'hostd[otel]'`."""

    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] | None = Field(
        None,
        description="Base address of the receiver, such as `http://localhost:4318`; unset: "
        "`OTEL_EXPORTER_OTLP_ENDPOINT` of the environment, else nothing is sent.",
    )
    protocol: Literal["http/protobuf", "grpc"] | None = Field(
        None,
        description="How it is spoken to; unset: `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf`. The receiver's "
        "port is most often 4318 for HTTP and 4317 for `grpc`.",
    )
    headers: SecretStr | None = Field(
        None,
        description="Headers it is sent with, `name=value,name=value`; unset: `OTEL_EXPORTER_OTLP_HEADERS`.",
    )
    ca: Path | None = Field(
        None,
        description="PEM file with who may have signed the certificate of an `https://` receiver; unset: "
        "`OTEL_EXPORTER_OTLP_CERTIFICATE`, else the system's authorities.",
    )
    certificate: Path | None = Field(
        None,
        description="PEM file with the certificate shown to the receiver; unset: "
        "`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`, else none.",
    )
    key: Path | None = Field(
        None, description="PEM file with the key of that certificate; unset: `OTEL_EXPORTER_OTLP_CLIENT_KEY`."
    )
    sample: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="Share of traces that are recorded, where whoever asks has not decided that already.",
    )
    metrics_every: Duration = Field(
        MINUTE, ge=timedelta(0), le=HOUR, description="Time between two sendings of all metrics; 0s = none are sent."
    )


class Egress(Room):
    """Where `http.request` of steps and scripts may connect to."""

    private: bool = Field(False, description="Allow loopback, private and link-local addresses.")
    allow: tuple[str, ...] = Field(
        (), description="Hosts or networks (`10.1.0.0/16`) that are allowed although they are private."
    )
    deny: tuple[str, ...] = Field((), description="Hosts or networks that are never allowed.")


class Config(Room):
    """Everything an operator decides."""

    data: Path = Field(
        Path("~/.local/share/hostd"), description="Data folder; as a systemd service the unit's state directory."
    )
    listen: Address = Field("127.0.0.1:7420", description="Address of the gRPC port, or `off` (the Unix socket stays).")
    insecure: bool = Field(False, description="Listen beyond loopback without TLS.")
    env: tuple[EnvName, ...] = live(
        (), description="Environment variables that workflow documents may read through `env`."
    )
    tls: Tls = room()
    http: Http = room()
    plugins: Plugins = room()
    lua: Lua = room()
    journal: Journal = room()
    retention: Retention = room()
    limits: Limits = room()
    log: Log = room()
    otel: Otel = room()
    egress: Egress = room()
