"""A class for each reason, below the class of its kind: `except errors.RunMissing`, `except errors.NotFound`.

Every one is a HostdError, with `reason`, `message`, `fields` (faults in what was sent), `retry_after` (seconds),
`metadata` and `help`. A reason that this version does not know has the class of its kind.

Written by clients/python/error_classes.py from hostd/errors/reasons.py (`make proto`); never edited.
"""

from __future__ import annotations

from hostd.client.error_kinds import AlreadyExists as AlreadyExists
from hostd.client.error_kinds import CallCanceled as CallCanceled
from hostd.client.error_kinds import ClientError as ClientError
from hostd.client.error_kinds import Conflict as Conflict
from hostd.client.error_kinds import DataLoss as DataLoss
from hostd.client.error_kinds import Exhausted as Exhausted
from hostd.client.error_kinds import FailedPrecondition as FailedPrecondition
from hostd.client.error_kinds import Forbidden as Forbidden
from hostd.client.error_kinds import InternalError as InternalError
from hostd.client.error_kinds import InvalidArgument as InvalidArgument
from hostd.client.error_kinds import NotFound as NotFound
from hostd.client.error_kinds import RunUnsuccessful as RunUnsuccessful
from hostd.client.error_kinds import TimedOut as TimedOut
from hostd.client.error_kinds import Unauthenticated as Unauthenticated
from hostd.client.error_kinds import Unavailable as Unavailable
from hostd.client.error_kinds import Unsupported as Unsupported
from hostd.errors.base import HostdError as HostdError


class DocumentInvalid(InvalidArgument):
    """A workflow document has mistakes; each is listed with its place.

    Correct the listed places; `hostd validate FILE` checks without a daemon.
    """


class NotYetSupported(Unsupported):
    """The word is part of the language, but this version of hostd does not build it yet.

    Remove it, or use a newer hostd.
    """


class SyntaxInvalid(InvalidArgument):
    """The text is neither YAML nor JSON.

    Mend the text at the place named.
    """


class QuotesNeeded(InvalidArgument):
    """YAML reads this plain text as something else: it holds `: `, or begins with a character that means something.

    Write it in quotes, as the suggestion shows.
    """


class YamlUnsupported(InvalidArgument):
    """A tag, a merge key, an alias inside itself or a key that is not text: documents hold JSON's types only.

    Write the value out plainly.
    """


class DocumentTooLarge(InvalidArgument):
    """A document is larger than 1 MiB, nested deeper than 64, or has too many nodes or steps.

    Split it over several workflows.
    """


class KeyDuplicate(InvalidArgument):
    """A key stands twice in one mapping.

    Keep one of them.
    """


class KeyUnknown(InvalidArgument):
    """A key has no meaning where it stands; nothing unknown is ignored.

    See the suggestion; docs/reference/workflow.md lists the keys.
    """


class KeyMissing(InvalidArgument):
    """A key that must be there is not.

    Add it.
    """


class TypeInvalid(InvalidArgument):
    """A value has another type than its key takes.

    The message says what is taken.
    """


class ValueInvalid(InvalidArgument):
    """A value has the right type, but is not one that is taken.

    The message says what is taken.
    """


class NameInvalid(InvalidArgument):
    """A name or id has characters that names cannot have.

    The suggestion is one that can.
    """


class NeedUnknown(InvalidArgument):
    """`needs` or an expression names a step that is not there.

    Correct the name; the suggestion is the nearest one.
    """


class NeedMissing(InvalidArgument):
    """An expression reads a step that need not have ended by then.

    Add the step to `needs`.
    """


class NeedCycle(InvalidArgument):
    """Steps need each other in a circle, so none of them could begin.

    Remove one need of the path in the message.
    """


class SchemaInvalid(InvalidArgument):
    """`inputs` is not a valid JSON Schema, or refers to one elsewhere.

    See the message; schemas are written out in the document.
    """


class ExpressionInvalid(InvalidArgument):
    """An expression cannot be compiled: its syntax, an unknown function, or a root that has no value where it stands.

    See the message; docs/reference/expressions.md lists syntax, functions and roots.
    """


class TriggerUnknown(NotFound):
    """No loaded plugin provides the trigger that `uses` names.

    `hostd plugin list` shows what is loaded and why something is not.
    """


class ExpressionFailed(InvalidArgument):
    """An expression could not be evaluated: a missing key, a null with no members, or wrong types.

    Read the path in the message; `default(x, y)` turns a missing value into y.
    """


class ExpressionLimit(Exhausted):
    """An expression used more nodes or made a larger result than is allowed.

    Do less in one expression; a `lua.script` step has larger limits.
    """


class CodeInterpolation(InvalidArgument):
    """`${{ }}` stands inside an option that holds code; pasting values into code is how injections happen.

    Pass the value through `input`, `params` or `env`.
    """


class NumberOutOfRange(InvalidArgument):
    """A number is NaN, infinite, or an integer outside 64 bits.

    Send it as a string, or within range.
    """


class PayloadInvalid(InvalidArgument):
    """A payload is not valid JSON text in UTF-8.

    Send JSON; the message names the place.
    """


class PayloadTooLarge(InvalidArgument):
    """A value is larger than the limit at the door.

    Keep it smaller, or store it elsewhere and pass a reference; `hostd info` (GetSystemInfo) shows the limits.
    """


class InputInvalid(InvalidArgument):
    """The input does not fit the workflow's `inputs` schema.

    Correct the fields named; `hostd workflow show NAME --source` has the schema, under `inputs`.
    """


class OutputInvalid(InvalidArgument):
    """The run's `output` expression failed.

    See the message; `default()` helps with values that may be missing.
    """


class OutputTooLarge(InvalidArgument):
    """A step's output is larger than 16 MiB.

    Return less, or write the value to a blob and return the reference.
    """


class OptionInvalid(InvalidArgument):
    """Options of an action or trigger do not fit its schema.

    `hostd plugin schema ID` prints what it takes.
    """


class ActionFailed(FailedPrecondition):
    """An action reported a failure; `code` holds the action's own word.

    See message and code.
    """


class ActionRaised(InternalError):
    """An action raised something other than ActionError: a bug in the plugin.

    `hostd runs logs RUN` has what it logged; it is for the plugin's author to mend.
    """


class ActionUnknown(NotFound):
    """No loaded plugin provides the action.

    `hostd plugin list` shows what is loaded and why something is not.
    """


class AttemptTimeout(TimedOut):
    """One attempt took longer than the step's `timeout`.

    Raise `timeout`, or retry.
    """


class DeadlinePassed(TimedOut):
    """All attempts together took longer than the step's `deadline`.

    Raise `deadline`.
    """


class AttemptLost(Unavailable):
    """The daemon ended while the attempt ran, three times, the last time with nothing beside it: the attempt probably
    kills its host.

    Mend the plugin: `hostd plugin show ID` has what it printed last. One in a process of its own cannot stop the
    daemon.
    """


class OutcomeUnknown(Unavailable):
    """The attempt of an `at_most_once` action was lost; nobody knows whether it took effect.

    Look at the other side; `retry: {on_lost: retry}` issues it again.
    """


class StepFailed(FailedPrecondition):
    """A `flow.fail` step ended the step on purpose.

    See the message.
    """


class FlowEnd(FailedPrecondition):
    """A `flow.end` step ended the run as FAILED or CANCELED on purpose.

    See the message.
    """


class HandlerFailed(FailedPrecondition):
    """A handler at the end of the run failed; the outcome stays.

    See the handler's error.
    """


class RunTimeout(TimedOut):
    """The run took longer than its `timeout`.

    Raise `timeout`.
    """


class RunTooLarge(Exhausted):
    """The run's history or values passed the limit of a run.

    Split the work over several runs.
    """


class Canceled(CallCanceled):
    """Somebody canceled the run.

    Nothing, or start it again.
    """


class Terminated(CallCanceled):
    """Somebody terminated the run; no handler ran.

    Nothing, or start it again.
    """


class SecretMissing(NotFound):
    """A secret that the step names is not there.

    `hostd secret set NAME`, set HOSTD_SECRET_<NAME>, or add it to the secrets file.
    """


class SecretsUnusable(FailedPrecondition):
    """The encrypted store of secrets or its key cannot be used; nothing was changed.

    The message names the file and what is wrong with it: its mode, a missing key, or damage.
    """


class SecretsReadOnly(Unsupported):
    """The secret, or its key, comes from where hostd cannot write.

    Change it where it comes from, as the message says.
    """


class ScriptInvalid(InvalidArgument):
    """A script does not compile.

    See line and message.
    """


class ScriptError(FailedPrecondition):
    """A script raised an error.

    See line and message; `code` holds what the script gave.
    """


class ScriptLimit(Exhausted):
    """A script passed one of its limits, named in the details.

    Do less, or ask the operator to raise the limit.
    """


class ScriptLost(Unavailable):
    """A script's worker process died, and not by the script's doing.

    Run the script again; the attempt is repeated from its start.
    """


class ScriptsUnavailable(Unavailable):
    """Script workers cannot be started just now.

    Try again; the daemon's log says why.
    """


class ScriptQueueFull(Exhausted):
    """Too many scripts wait for a worker.

    Try again later, or raise the number of workers.
    """


class ScriptIsolation(Unsupported):
    """`lua.isolation` is `required`, and this host cannot lock scripts in fully; the message names what is missing.

    Run where namespaces and seccomp are permitted, or set `lua.isolation: best_effort`.
    """


class CapabilityDenied(Forbidden):
    """A script called a host capability that the workflow's `permissions` do not ask for, or the operator does not
    grant.

    Add it to `permissions`.
    """


class RunMissing(NotFound):
    """There is no such run in the namespace, or retention has removed it.

    `hostd runs list` shows what is there.
    """


class RunFinal(FailedPrecondition):
    """The run has ended; a final state is final.

    Start a new run.
    """


class RunNotFinal(FailedPrecondition):
    """The run is still going.

    Cancel or terminate it first.
    """


class RunState(FailedPrecondition):
    """The run is in a state in which this is not possible.

    See the message for its state.
    """


class RunOpen(AlreadyExists):
    """A live run of this workflow has the same key.

    Use another key, or on_open USE_EXISTING or TERMINATE_EXISTING.
    """


class RunClosedExists(AlreadyExists):
    """A finished run with the same key exists, and on_closed refuses another.

    Use another key, or on_closed ALLOW.
    """


class WorkflowMissing(NotFound):
    """There is no such workflow in the namespace.

    `hostd workflow list`; register it first.
    """


class WorkflowInactive(FailedPrecondition):
    """The workflow has no active version and the request names none.

    Activate a version, or name one.
    """


class VersionMissing(NotFound):
    """The workflow has no such version.

    `hostd workflow versions NAME`.
    """


class VersionExists(AlreadyExists):
    """This version is registered with another content; a registered version is immutable.

    Raise `version`.
    """


class VersionInUse(FailedPrecondition):
    """Live runs or the active mark hold this version.

    Activate another version, wait for the runs, or cancel them.
    """


class ActiveChanged(Conflict):
    """The active version is not the one the request expected.

    Look at it and try again.
    """


class TriggerExists(AlreadyExists):
    """There is a trigger of this name with another document.

    `hostd trigger apply` replaces it; over the API, set `replace`.
    """


class ScheduleMissing(FailedPrecondition):
    """The trigger does not go by the clock, so it has no times to show or to fill in.

    Name a trigger that does, such as one that uses cron.schedule.
    """


class DeadLetterMissing(NotFound):
    """There is no dead letter of this number: it was redriven, purged, or is past retention.

    `hostd dead-letters list` shows what is there.
    """


class TriggerMissing(NotFound):
    """There is no such trigger.

    `hostd trigger list`.
    """


class PluginMissing(NotFound):
    """There is no such plugin or component.

    `hostd plugin list`.
    """


class BlobMissing(NotFound):
    """There is no such blob in the namespace.

    Blobs go with their last reference; see retention.
    """


class NeedsProcess(Unsupported):
    """An installed plugin that the operator did not choose to run inside the daemon needs a process of its own.

    Add its id to `plugins.inline` if you trust it.
    """


class ManifestInvalid(InvalidArgument):
    """A plugin's `hostd-plugin.yaml` has mistakes, or its files are not those it was written for.

    Correct what is named; the plugin is looked at again as soon as its folder changes.
    """


class PluginNotReloadable(FailedPrecondition):
    """The plugin runs inside the daemon, where nothing is loaded a second time.

    Restart the daemon, or let the plugin run in a process (`plugins.process`, or out of `plugins.inline`).
    """


class PluginUnavailable(Unavailable):
    """The plugin's process is not there, does not answer, or is kept out after repeated crashes.

    `hostd plugin show ID` says why and shows what it printed last; it is started again by itself.
    """


class StaleAttempt(FailedPrecondition):
    """A plugin process spoke for an attempt or trigger that the host does not wait for any more.

    Nothing; the attempt was canceled, timed out, or went on elsewhere.
    """


class PluginDenied(Forbidden):
    """The operator's configuration keeps the plugin from being loaded.

    See `plugins.deny`, `plugins.allow` and `plugins.safe_mode`.
    """


class PluginDisabled(Forbidden):
    """Somebody disabled the plugin.

    `hostd plugin enable ID` lets it serve again.
    """


class PluginIdTaken(AlreadyExists):
    """Another plugin, which came from elsewhere, has the id already.

    Remove the other one, or give this one another id.
    """


class PluginNotInstalled(FailedPrecondition):
    """The plugin did not come by `hostd plugin install`, so there is nothing to uninstall or to roll back.

    Remove its folder, its package, or deny it (`plugins.deny`), as `hostd plugin show ID` says where it is from.
    """


class NoOlderVersion(FailedPrecondition):
    """There is no version of the plugin to go back to.

    One is kept from the second install on; install the version you want.
    """


class InstallRefused(Forbidden):
    """Installing runs code, and `plugins.install` does not allow it from where it was asked for.

    Ask over the daemon's Unix socket, or set `plugins.install: always`.
    """


class InstallBusy(Unavailable):
    """Another plugin is being installed; one is at a time.

    Try again when it is through.
    """


class InstallFailed(FailedPrecondition):
    """The plugin's environment could not be made; what served before serves on.

    See pip's last lines in the message; all of them are in the daemon's log.
    """


class PackageInvalid(InvalidArgument):
    """What was to be installed is no plugin: no wheel or folder of one, damaged, or too large.

    See the message; `hostd plugin doctor FOLDER` examines a folder.
    """


class PermissionsNotAccepted(FailedPrecondition):
    """The plugin asks for more than whoever installs it accepted.

    Look at what it asks for, and install it again with these permissions (`--yes` accepts all).
    """


class NothingRegistered(InvalidArgument):
    """A plugin loaded, but registered nothing.

    Did you forget @hookimpl on hostd_register?
    """


class PluginFailed(InvalidArgument):
    """A plugin could not be loaded; the traceback is listed with it.

    Mend the plugin; the others work.
    """


class PathTaken(AlreadyExists):
    """Another trigger serves the same webhook path and method.

    Choose another path, or free it: the trigger that was refused begins by itself then.
    """


class KvKeyInvalid(InvalidArgument):
    """A key is empty, longer than 512 bytes of UTF-8, or holds a NUL.

    Shorten it; a digest of a long name makes a good key.
    """


class KvConflict(Conflict):
    """A key changed since the version that the change names was read: somebody else was first.

    Read it again, decide anew and try again.
    """


class KvNotANumber(FailedPrecondition):
    """Something was to be added to a value that is not a whole number.

    Use another key for the count, or put a whole number first.
    """


class TopicInvalid(InvalidArgument):
    """A topic is not words of letters, digits, `_` and `-` joined by dots, or a subscription names none or too many.

    Write it like `orders.new`; subscriptions may also name `orders.*`, and `*` for every topic.
    """


class EventInvalid(InvalidArgument):
    """What was sent is no CloudEvents 1.0 event: an attribute is missing, malformed or too long.

    The message names the attribute; `id`, `source`, `type` and `specversion: 1.0` are needed.
    """


class RunBlobsFull(Exhausted):
    """A run has kept 64 MiB of blobs.

    Keep less, or let several runs share the work.
    """


class PermissionDenied(Forbidden):
    """A plugin asked the host for something that its manifest does not ask for, or that the operator does not grant.

    Add the permission to `permissions` in the manifest, and let the operator grant it.
    """


class HostCallUnknown(Unsupported):
    """A plugin's process called a method of the host that does not exist, or not for whoever asks.

    Use an SDK whose version this hostd speaks; the message names the method.
    """


class ArgumentInvalid(InvalidArgument):
    """A field of the request is missing or malformed.

    Correct the field named; docs/reference/api.md says what it takes.
    """


class RequestIdConflict(AlreadyExists):
    """The request id was used within 24 hours for a request with another content.

    Use a fresh request_id for a new request.
    """


class InvalidFilter(InvalidArgument):
    """A filter uses something that is not an indexed field or a supported operator.

    Write such as: state == "FAILED" && labels.team == "a". Values stand in quotes; docs/reference/cli.md has the
    rest.
    """


class PageTokenInvalid(InvalidArgument):
    """The page token is damaged or belongs to another request.

    Start from the first page.
    """


class ResumeTokenInvalid(InvalidArgument):
    """The resume token is damaged or belongs to another watch.

    Start the watch without a token.
    """


class ResumeTokenExpired(FailedPrecondition):
    """The resume token points behind what is kept, or to another journal.

    Start the watch without a token; it begins with a snapshot.
    """


class PathMissing(NotFound):
    """Nothing answers at this path of the HTTP port.

    `hostd trigger list` shows webhooks; `/hooks/<namespace>/<path>` is where they answer.
    """


class MethodRefused(InvalidArgument):
    """The path does not take this method.

    Use one of those in the answer's Allow header.
    """


class HeadersTooLarge(InvalidArgument):
    """The request line or headers are too long or too many.

    Send less, or raise `http.headers_max`.
    """


class BodyTooSlow(TimedOut):
    """The body of a request did not arrive in time.

    Send it faster, or raise `http.body_timeout`.
    """


class EncodingRefused(InvalidArgument):
    """The body is compressed, and compressed bodies are not taken.

    Send it without Content-Encoding.
    """


class HttpBusy(Exhausted):
    """The HTTP port answers as many requests as it may, or half of them wait for the trigger behind one path.

    Try again, or raise `http.connections_max`. Where it is one path, see why its plugin does not answer.
    """


class WebhookTimeout(TimedOut):
    """The trigger behind a path did not answer a request in its time; whether it made a run is not known.

    See why: `hostd plugin show ID`, and the plugin's log. A plugin that needs longer says so with `timeout` of its
    route.
    """


class HostRefused(Forbidden):
    """The Host header names something that is not this daemon.

    Call it by its address, or add the name to `http.hosts`.
    """


class OriginRefused(Forbidden):
    """A web page of an origin that is not known asked.

    Add the origin to `http.origins` if you trust it.
    """


class TokenMissing(Unauthenticated):
    """The request carries no token.

    Name the daemon's data folder (--data) or give HOSTD_TOKEN; programs send `authorization: Bearer ...`. The
    owner's token is in <data>/token.
    """


class TokenInvalid(Unauthenticated):
    """The token is not known.

    Use the content of <data>/token of the daemon you talk to; HOSTD_TOKEN goes before the data folder's.
    """


class AccessDenied(Forbidden):
    """The principal may not do this.

    Ask the operator.
    """


class IntakeFull(Exhausted):
    """The doors' queue is full; nothing was accepted.

    Try again after the time in RetryInfo.
    """


class WatchTooSlow(Exhausted):
    """The consumer of a watch did not keep up.

    Resume with the last token.
    """


class WatchesFull(Exhausted):
    """As many watches are open as `limits.watches` allows.

    Let one watch with a wider filter serve many readers, close watches nobody reads, or raise the limit.
    """


class WaitExpired(TimedOut):
    """The deadline passed while waiting for the run; the run goes on.

    Watch or get the run by its id.
    """


class Draining(Unavailable):
    """The daemon is stopping and takes nothing new.

    Try again when it is back.
    """


class JournalLocked(Unavailable):
    """Another daemon uses this journal.

    Stop it, or use another data folder.
    """


class JournalReadOnly(Unavailable):
    """The journal's file or folder cannot be written.

    Check owner and rights of the data folder.
    """


class JournalReplaced(Unavailable):
    """The journal's file was moved, removed or replaced while the daemon has it open; nothing new is accepted.

    Put it back; or save what the daemon holds with `hostd journal backup FILE`, stop the daemon, `hostd journal
    restore FILE`, start it.
    """


class JournalFull(Unavailable):
    """The disk is full; nothing new is accepted, reading goes on.

    Free space; a daemon that runs tries again each second.
    """


class JournalBusy(Unavailable):
    """Something else holds the journal's file; nothing new is accepted.

    Find the program that has journal.db open.
    """


class JournalTooNew(DataLoss):
    """The journal was written by a newer hostd.

    Use that version, or restore a backup of yours.
    """


class JournalCorrupt(DataLoss):
    """The journal is damaged; the message names the place.

    `hostd journal check` lists what is damaged; restore a backup (docs/reference/journal.md).
    """


class JournalTruncated(DataLoss):
    """The journal ends before a batch that was acknowledged.

    Restore the file, or start with --accept-loss to go on without the lost batches.
    """


class JournalMigration(DataLoss):
    """A migration that was applied differs from the one this hostd carries.

    Use the hostd that wrote the journal; report it.
    """


class JournalNetworkFs(Unsupported):
    """The data folder lies on a network file system, where SQLite's locks do not hold.

    Use a local disk.
    """


class JournalFailed(Unavailable):
    """The journal could not write; nothing was acknowledged.

    See the message.
    """


class JournalMissing(NotFound):
    """There is no journal file at the path.

    Check the path; the journal of a data folder is <data>/journal.db.
    """


class JournalConflict(Conflict):
    """A batch contradicts what the journal holds; nothing of it was written.

    A mistake in hostd: report it with the message.
    """


class RecordTooNew(DataLoss):
    """A run's history holds a record written by a newer hostd; the run is held.

    Use that version; its start lets the run go on.
    """


class RecordCorrupt(DataLoss):
    """A run's history holds a damaged record; the run is held.

    `hostd journal check`; restore a backup, or mend it and `hostd run resume` the run.
    """


class SignalUnknown(FailedPrecondition):
    """The run's workflow takes no signal of this name; the message lists what it takes.

    Declare it under `signals` in a new version; runs that are open keep the version they began with.
    """


class SignalInvalid(InvalidArgument):
    """A signal's data does not fit its schema in `signals`.

    Correct the fields the violations name.
    """


class SignalsFull(Exhausted):
    """A run keeps 64 signals of a name and 1,024 in all until steps take them, within the limits of its values.

    Send no more until the run has taken some; the message says how many wait.
    """


class KeyInvalid(InvalidArgument):
    """A trigger's `key` gave no text of 1 to 256 bytes.

    Build it from a field that every event has, or leave events without it out with `if`.
    """


class VariableInvalid(InvalidArgument):
    """A `${VAR}` in the configuration names a variable that is not set, or is not written as one.

    Set the variable, or give a default with `${VAR:-default}`; `$${` is a literal `${`.
    """


class ConfigInvalid(InvalidArgument):
    """The configuration has mistakes; each is listed with its place.

    Correct what is named; `hostd config check FILE` checks without a start, docs/reference/config.md has every key.
    """


class ConfigNotRead(FailedPrecondition):
    """The daemon did not read its configuration: the program it runs in made it, so there is nothing to read again.

    Change it in that program, and start anew.
    """


class AddressInUse(Unavailable):
    """Another program listens on the address.

    Stop it (`ss -ltnp` shows which it is), or choose another with --listen or --http.
    """


class AddressRefused(InvalidArgument):
    """The system does not let the daemon listen on the address.

    Choose an address of this machine, and a port that you may open.
    """


class InsecureListen(InvalidArgument):
    """Listening beyond loopback without TLS sends tokens in the clear.

    Configure TLS, or say --insecure.
    """


class Unreachable(Unavailable):
    """No daemon answers at the address.

    Start one with `hostd serve`, or say where it is: --data or --address.
    """


class OutputUnwritable(Unavailable):
    """The command's standard output cannot be written: the disk behind it is full, or broken.

    Make room, or write elsewhere; what the command did is done, and reading again prints it.
    """


class TlsFailed(FailedPrecondition):
    """Client and daemon do not agree on TLS: one speaks it and the other does not, or the certificate is not trusted.

    Give --tls-ca the authority that signed the daemon's `tls.certificate`; without `tls` in its configuration leave
    it out.
    """


class CallUnknown(Unsupported):
    """What was called does not have this call: a daemon older than the client, or no hostd.

    Upgrade the daemon (`hostd info` says its version), or use a client of its version.
    """


class Bug(InternalError):
    """A mistake in hostd itself; the log holds the id.

    Report it with the id.
    """
