"""Every reason hostd gives, with its kind, what happened and what to do: `hostd explain REASON` and the docs print this table.

Plugins and scripts never add reasons; they put their own text into an error's `code`.
"""

from __future__ import annotations

from typing import NamedTuple

from hostd.errors.base import Kind


class ReasonPage(NamedTuple):
    """What `hostd explain` prints."""

    kind: Kind
    what: str
    fix: str


REASONS: dict[str, ReasonPage] = {
    # -- documents and expressions
    "DOCUMENT_INVALID": ReasonPage(
        Kind.INVALID,
        "A workflow document has mistakes; each is listed with its place.",
        "Correct the listed places; `hostd validate FILE` checks without a daemon.",
    ),
    "NOT_YET_SUPPORTED": ReasonPage(
        Kind.UNSUPPORTED,
        "The word is part of the language, but this version of hostd does not build it yet.",
        "Remove it, or use a newer hostd.",
    ),
    "SYNTAX_INVALID": ReasonPage(
        Kind.INVALID, "The text is neither YAML nor JSON.", "Mend the text at the place named."
    ),
    "QUOTES_NEEDED": ReasonPage(
        Kind.INVALID,
        "YAML reads this plain text as something else: it holds `: `, or begins with a character that means something.",
        "Write it in quotes, as the suggestion shows.",
    ),
    "YAML_UNSUPPORTED": ReasonPage(
        Kind.INVALID,
        "A tag, a merge key, an alias inside itself or a key that is not text: documents hold JSON's types only.",
        "Write the value out plainly.",
    ),
    "DOCUMENT_TOO_LARGE": ReasonPage(
        Kind.INVALID,
        "A document is larger than 1 MiB, nested deeper than 64, or has too many nodes or steps.",
        "Split it over several workflows.",
    ),
    "KEY_DUPLICATE": ReasonPage(Kind.INVALID, "A key stands twice in one mapping.", "Keep one of them."),
    "KEY_UNKNOWN": ReasonPage(
        Kind.INVALID,
        "A key has no meaning where it stands; nothing unknown is ignored.",
        "See the suggestion; docs/reference/workflow.md lists the keys.",
    ),
    "KEY_MISSING": ReasonPage(Kind.INVALID, "A key that must be there is not.", "Add it."),
    "TYPE_INVALID": ReasonPage(
        Kind.INVALID, "A value has another type than its key takes.", "The message says what is taken."
    ),
    "VALUE_INVALID": ReasonPage(
        Kind.INVALID, "A value has the right type, but is not one that is taken.", "The message says what is taken."
    ),
    "NAME_INVALID": ReasonPage(
        Kind.INVALID, "A name or id has characters that names cannot have.", "The suggestion is one that can."
    ),
    "NEED_UNKNOWN": ReasonPage(
        Kind.INVALID,
        "`needs` or an expression names a step that is not there.",
        "Correct the name; the suggestion is the nearest one.",
    ),
    "NEED_MISSING": ReasonPage(
        Kind.INVALID, "An expression reads a step that need not have ended by then.", "Add the step to `needs`."
    ),
    "NEED_CYCLE": ReasonPage(
        Kind.INVALID,
        "Steps need each other in a circle, so none of them could begin.",
        "Remove one need of the path in the message.",
    ),
    "SCHEMA_INVALID": ReasonPage(
        Kind.INVALID,
        "`inputs` is not a valid JSON Schema, or refers to one elsewhere.",
        "See the message; schemas are written out in the document.",
    ),
    "EXPRESSION_INVALID": ReasonPage(
        Kind.INVALID,
        "An expression cannot be compiled: its syntax, an unknown function, or a root that has no value where it stands.",
        "See the message; docs/reference/expressions.md lists syntax, functions and roots.",
    ),
    "TRIGGER_UNKNOWN": ReasonPage(
        Kind.MISSING,
        "No loaded plugin provides the trigger that `uses` names.",
        "`hostd plugin list` shows what is loaded and why something is not.",
    ),
    "EXPRESSION_FAILED": ReasonPage(
        Kind.INVALID,
        "An expression could not be evaluated: a missing key, a null with no members, or wrong types.",
        "Read the path in the message; `default(x, y)` turns a missing value into y.",
    ),
    "EXPRESSION_LIMIT": ReasonPage(
        Kind.EXHAUSTED,
        "An expression used more nodes or made a larger result than is allowed.",
        "Do less in one expression; a `lua.script` step has larger limits.",
    ),
    "CODE_INTERPOLATION": ReasonPage(
        Kind.INVALID,
        "`${{ }}` stands inside an option that holds code; pasting values into code is how injections happen.",
        "Pass the value through `input`, `params` or `env`.",
    ),
    # -- numbers and payloads
    "NUMBER_OUT_OF_RANGE": ReasonPage(
        Kind.INVALID,
        "A number is NaN, infinite, or an integer outside 64 bits.",
        "Send it as a string, or within range.",
    ),
    "PAYLOAD_INVALID": ReasonPage(
        Kind.INVALID, "A payload is not valid JSON text in UTF-8.", "Send JSON; the message names the place."
    ),
    "PAYLOAD_TOO_LARGE": ReasonPage(
        Kind.INVALID,
        "A value is larger than the limit at the door.",
        "Keep it smaller, or store it elsewhere and pass a reference; `hostd info` (GetSystemInfo) shows the limits.",
    ),
    "INPUT_INVALID": ReasonPage(
        Kind.INVALID,
        "The input does not fit the workflow's `inputs` schema.",
        "Correct the fields named; `hostd workflow show NAME --source` has the schema, under `inputs`.",
    ),
    "OUTPUT_INVALID": ReasonPage(
        Kind.INVALID,
        "The run's `output` expression failed.",
        "See the message; `default()` helps with values that may be missing.",
    ),
    "OUTPUT_TOO_LARGE": ReasonPage(
        Kind.INVALID,
        "A step's output is larger than 16 MiB.",
        "Return less, or write the value to a blob and return the reference.",
    ),
    # -- step failures
    "OPTION_INVALID": ReasonPage(
        Kind.INVALID,
        "Options of an action or trigger do not fit its schema.",
        "`hostd plugin schema ID` prints what it takes.",
    ),
    "ACTION_FAILED": ReasonPage(
        Kind.STATE, "An action reported a failure; `code` holds the action's own word.", "See message and code."
    ),
    "ACTION_RAISED": ReasonPage(
        Kind.BUG,
        "An action raised something other than ActionError: a bug in the plugin.",
        "`hostd runs logs RUN` has what it logged; it is for the plugin's author to mend.",
    ),
    "ACTION_UNKNOWN": ReasonPage(
        Kind.MISSING,
        "No loaded plugin provides the action.",
        "`hostd plugin list` shows what is loaded and why something is not.",
    ),
    "ATTEMPT_TIMEOUT": ReasonPage(
        Kind.TIMEOUT, "One attempt took longer than the step's `timeout`.", "Raise `timeout`, or retry."
    ),
    "DEADLINE_PASSED": ReasonPage(
        Kind.TIMEOUT, "All attempts together took longer than the step's `deadline`.", "Raise `deadline`."
    ),
    "ATTEMPT_LOST": ReasonPage(
        Kind.UNAVAILABLE,
        "The daemon ended while the attempt ran, three times, the last time with nothing beside it: the attempt probably kills its host.",
        "Mend the plugin: `hostd plugin show ID` has what it printed last. One in a process of its own cannot stop the daemon.",
    ),
    "OUTCOME_UNKNOWN": ReasonPage(
        Kind.UNAVAILABLE,
        "The attempt of an `at_most_once` action was lost; nobody knows whether it took effect.",
        "Look at the other side; `retry: {on_lost: retry}` issues it again.",
    ),
    "STEP_FAILED": ReasonPage(Kind.STATE, "A `flow.fail` step ended the step on purpose.", "See the message."),
    "FLOW_END": ReasonPage(
        Kind.STATE, "A `flow.end` step ended the run as FAILED or CANCELED on purpose.", "See the message."
    ),
    "HANDLER_FAILED": ReasonPage(
        Kind.STATE, "A handler at the end of the run failed; the outcome stays.", "See the handler's error."
    ),
    "RUN_TIMEOUT": ReasonPage(Kind.TIMEOUT, "The run took longer than its `timeout`.", "Raise `timeout`."),
    "RUN_TOO_LARGE": ReasonPage(
        Kind.EXHAUSTED, "The run's history or values passed the limit of a run.", "Split the work over several runs."
    ),
    "CANCELED": ReasonPage(Kind.CANCELED, "Somebody canceled the run.", "Nothing, or start it again."),
    "TERMINATED": ReasonPage(
        Kind.CANCELED, "Somebody terminated the run; no handler ran.", "Nothing, or start it again."
    ),
    "SECRET_MISSING": ReasonPage(
        Kind.MISSING,
        "A secret that the step names is not there.",
        "`hostd secret set NAME`, set HOSTD_SECRET_<NAME>, or add it to the secrets file.",
    ),
    "SECRETS_UNUSABLE": ReasonPage(
        Kind.STATE,
        "The encrypted store of secrets or its key cannot be used; nothing was changed.",
        "The message names the file and what is wrong with it: its mode, a missing key, or damage.",
    ),
    "SECRETS_READ_ONLY": ReasonPage(
        Kind.UNSUPPORTED,
        "The secret, or its key, comes from where hostd cannot write.",
        "Change it where it comes from, as the message says.",
    ),
    # -- scripts
    "SCRIPT_INVALID": ReasonPage(Kind.INVALID, "A script does not compile.", "See line and message."),
    "SCRIPT_ERROR": ReasonPage(
        Kind.STATE, "A script raised an error.", "See line and message; `code` holds what the script gave."
    ),
    "SCRIPT_LIMIT": ReasonPage(
        Kind.EXHAUSTED,
        "A script passed one of its limits, named in the details.",
        "Do less, or ask the operator to raise the limit.",
    ),
    "SCRIPT_LOST": ReasonPage(
        Kind.UNAVAILABLE,
        "A script's worker process died, and not by the script's doing.",
        "Run the script again; the attempt is repeated from its start.",
    ),
    "SCRIPTS_UNAVAILABLE": ReasonPage(
        Kind.UNAVAILABLE, "Script workers cannot be started just now.", "Try again; the daemon's log says why."
    ),
    "SCRIPT_QUEUE_FULL": ReasonPage(
        Kind.EXHAUSTED, "Too many scripts wait for a worker.", "Try again later, or raise the number of workers."
    ),
    "SCRIPT_ISOLATION": ReasonPage(
        Kind.UNSUPPORTED,
        "`lua.isolation` is `required`, and this host cannot lock scripts in fully; the message names what is missing.",
        "Run where namespaces and seccomp are permitted, or set `lua.isolation: best_effort`.",
    ),
    "CAPABILITY_DENIED": ReasonPage(
        Kind.DENIED,
        "A script called a host capability that the workflow's `permissions` do not ask for, or the operator does not grant.",
        "Add it to `permissions`.",
    ),
    # -- runs and workflows
    "RUN_MISSING": ReasonPage(
        Kind.MISSING,
        "There is no such run in the namespace, or retention has removed it.",
        "`hostd runs list` shows what is there.",
    ),
    "RUN_FINAL": ReasonPage(Kind.STATE, "The run has ended; a final state is final.", "Start a new run."),
    "RUN_NOT_FINAL": ReasonPage(Kind.STATE, "The run is still going.", "Cancel or terminate it first."),
    "RUN_STATE": ReasonPage(
        Kind.STATE, "The run is in a state in which this is not possible.", "See the message for its state."
    ),
    "RUN_OPEN": ReasonPage(
        Kind.EXISTS,
        "A live run of this workflow has the same key.",
        "Use another key, or on_open USE_EXISTING or TERMINATE_EXISTING.",
    ),
    "RUN_CLOSED_EXISTS": ReasonPage(
        Kind.EXISTS,
        "A finished run with the same key exists, and on_closed refuses another.",
        "Use another key, or on_closed ALLOW.",
    ),
    "WORKFLOW_MISSING": ReasonPage(
        Kind.MISSING, "There is no such workflow in the namespace.", "`hostd workflow list`; register it first."
    ),
    "WORKFLOW_INACTIVE": ReasonPage(
        Kind.STATE, "The workflow has no active version and the request names none.", "Activate a version, or name one."
    ),
    "VERSION_MISSING": ReasonPage(Kind.MISSING, "The workflow has no such version.", "`hostd workflow versions NAME`."),
    "VERSION_EXISTS": ReasonPage(
        Kind.EXISTS,
        "This version is registered with another content; a registered version is immutable.",
        "Raise `version`.",
    ),
    "VERSION_IN_USE": ReasonPage(
        Kind.STATE,
        "Live runs or the active mark hold this version.",
        "Activate another version, wait for the runs, or cancel them.",
    ),
    "ACTIVE_CHANGED": ReasonPage(
        Kind.CONFLICT, "The active version is not the one the request expected.", "Look at it and try again."
    ),
    "TRIGGER_EXISTS": ReasonPage(
        Kind.EXISTS,
        "There is a trigger of this name with another document.",
        "`hostd trigger apply` replaces it; over the API, set `replace`.",
    ),
    "SCHEDULE_MISSING": ReasonPage(
        Kind.STATE,
        "The trigger does not go by the clock, so it has no times to show or to fill in.",
        "Name a trigger that does, such as one that uses cron.schedule.",
    ),
    "DEAD_LETTER_MISSING": ReasonPage(
        Kind.MISSING,
        "There is no dead letter of this number: it was redriven, purged, or is past retention.",
        "`hostd dead-letters list` shows what is there.",
    ),
    "TRIGGER_MISSING": ReasonPage(Kind.MISSING, "There is no such trigger.", "`hostd trigger list`."),
    "PLUGIN_MISSING": ReasonPage(Kind.MISSING, "There is no such plugin or component.", "`hostd plugin list`."),
    "BLOB_MISSING": ReasonPage(
        Kind.MISSING, "There is no such blob in the namespace.", "Blobs go with their last reference; see retention."
    ),
    # -- plugins
    "NEEDS_PROCESS": ReasonPage(
        Kind.UNSUPPORTED,
        "An installed plugin that the operator did not choose to run inside the daemon needs a process of its own.",
        "Add its id to `plugins.inline` if you trust it.",
    ),
    "MANIFEST_INVALID": ReasonPage(
        Kind.INVALID,
        "A plugin's `hostd-plugin.yaml` has mistakes, or its files are not those it was written for.",
        "Correct what is named; the plugin is looked at again as soon as its folder changes.",
    ),
    "PLUGIN_NOT_RELOADABLE": ReasonPage(
        Kind.STATE,
        "The plugin runs inside the daemon, where nothing is loaded a second time.",
        "Restart the daemon, or let the plugin run in a process (`plugins.process`, or out of `plugins.inline`).",
    ),
    "PLUGIN_UNAVAILABLE": ReasonPage(
        Kind.UNAVAILABLE,
        "The plugin's process is not there, does not answer, or is kept out after repeated crashes.",
        "`hostd plugin show ID` says why and shows what it printed last; it is started again by itself.",
    ),
    "STALE_ATTEMPT": ReasonPage(
        Kind.STATE,
        "A plugin process spoke for an attempt or trigger that the host does not wait for any more.",
        "Nothing; the attempt was canceled, timed out, or went on elsewhere.",
    ),
    "PLUGIN_DENIED": ReasonPage(
        Kind.DENIED,
        "The operator's configuration keeps the plugin from being loaded.",
        "See `plugins.deny`, `plugins.allow` and `plugins.safe_mode`.",
    ),
    "PLUGIN_DISABLED": ReasonPage(
        Kind.DENIED, "Somebody disabled the plugin.", "`hostd plugin enable ID` lets it serve again."
    ),
    "PLUGIN_ID_TAKEN": ReasonPage(
        Kind.EXISTS,
        "Another plugin, which came from elsewhere, has the id already.",
        "Remove the other one, or give this one another id.",
    ),
    "PLUGIN_NOT_INSTALLED": ReasonPage(
        Kind.STATE,
        "The plugin did not come by `hostd plugin install`, so there is nothing to uninstall or to roll back.",
        "Remove its folder, its package, or deny it (`plugins.deny`), as `hostd plugin show ID` says where it is from.",
    ),
    "NO_OLDER_VERSION": ReasonPage(
        Kind.STATE,
        "There is no version of the plugin to go back to.",
        "One is kept from the second install on; install the version you want.",
    ),
    "INSTALL_REFUSED": ReasonPage(
        Kind.DENIED,
        "Installing runs code, and `plugins.install` does not allow it from where it was asked for.",
        "Ask over the daemon's Unix socket, or set `plugins.install: always`.",
    ),
    "INSTALL_BUSY": ReasonPage(
        Kind.UNAVAILABLE, "Another plugin is being installed; one is at a time.", "Try again when it is through."
    ),
    "INSTALL_FAILED": ReasonPage(
        Kind.STATE,
        "The plugin's environment could not be made; what served before serves on.",
        "See pip's last lines in the message; all of them are in the daemon's log.",
    ),
    "PACKAGE_INVALID": ReasonPage(
        Kind.INVALID,
        "What was to be installed is no plugin: no wheel or folder of one, damaged, or too large.",
        "See the message; `hostd plugin doctor FOLDER` examines a folder.",
    ),
    "PERMISSIONS_NOT_ACCEPTED": ReasonPage(
        Kind.STATE,
        "The plugin asks for more than whoever installs it accepted.",
        "Look at what it asks for, and install it again with these permissions (`--yes` accepts all).",
    ),
    "NOTHING_REGISTERED": ReasonPage(
        Kind.INVALID, "A plugin loaded, but registered nothing.", "Did you forget @hookimpl on hostd_register?"
    ),
    "PLUGIN_FAILED": ReasonPage(
        Kind.INVALID,
        "A plugin could not be loaded; the traceback is listed with it.",
        "Mend the plugin; the others work.",
    ),
    "PATH_TAKEN": ReasonPage(
        Kind.EXISTS,
        "Another trigger serves the same webhook path and method.",
        "Choose another path, or free it: the trigger that was refused begins by itself then.",
    ),
    # -- what the host does for plugins
    "KV_KEY_INVALID": ReasonPage(
        Kind.INVALID,
        "A key is empty, longer than 512 bytes of UTF-8, or holds a NUL.",
        "Shorten it; a digest of a long name makes a good key.",
    ),
    "KV_CONFLICT": ReasonPage(
        Kind.CONFLICT,
        "A key changed since the version that the change names was read: somebody else was first.",
        "Read it again, decide anew and try again.",
    ),
    "KV_NOT_A_NUMBER": ReasonPage(
        Kind.STATE,
        "Something was to be added to a value that is not a whole number.",
        "Use another key for the count, or put a whole number first.",
    ),
    "TOPIC_INVALID": ReasonPage(
        Kind.INVALID,
        "A topic is not words of letters, digits, `_` and `-` joined by dots, or a subscription names none or too many.",
        "Write it like `orders.new`; subscriptions may also name `orders.*`, and `*` for every topic.",
    ),
    "EVENT_INVALID": ReasonPage(
        Kind.INVALID,
        "What was sent is no CloudEvents 1.0 event: an attribute is missing, malformed or too long.",
        "The message names the attribute; `id`, `source`, `type` and `specversion: 1.0` are needed.",
    ),
    "RUN_BLOBS_FULL": ReasonPage(
        Kind.EXHAUSTED,
        "A run has kept 64 MiB of blobs.",
        "Keep less, or let several runs share the work.",
    ),
    "PERMISSION_DENIED": ReasonPage(
        Kind.DENIED,
        "A plugin asked the host for something that its manifest does not ask for, or that the operator does not grant.",
        "Add the permission to `permissions` in the manifest, and let the operator grant it.",
    ),
    "HOST_CALL_UNKNOWN": ReasonPage(
        Kind.UNSUPPORTED,
        "A plugin's process called a method of the host that does not exist, or not for whoever asks.",
        "Use an SDK whose version this hostd speaks; the message names the method.",
    ),
    # -- requests
    "ARGUMENT_INVALID": ReasonPage(
        Kind.INVALID,
        "A field of the request is missing or malformed.",
        "Correct the field named; docs/reference/api.md says what it takes.",
    ),
    "REQUEST_ID_CONFLICT": ReasonPage(
        Kind.EXISTS,
        "The request id was used within 24 hours for a request with another content.",
        "Use a fresh request_id for a new request.",
    ),
    "INVALID_FILTER": ReasonPage(
        Kind.INVALID,
        "A filter uses something that is not an indexed field or a supported operator.",
        'Write such as: state == "FAILED" && labels.team == "a". Values stand in quotes; docs/reference/cli.md has the rest.',
    ),
    "PAGE_TOKEN_INVALID": ReasonPage(
        Kind.INVALID, "The page token is damaged or belongs to another request.", "Start from the first page."
    ),
    "RESUME_TOKEN_INVALID": ReasonPage(
        Kind.INVALID, "The resume token is damaged or belongs to another watch.", "Start the watch without a token."
    ),
    "RESUME_TOKEN_EXPIRED": ReasonPage(
        Kind.STATE,
        "The resume token points behind what is kept, or to another journal.",
        "Start the watch without a token; it begins with a snapshot.",
    ),
    "PATH_MISSING": ReasonPage(
        Kind.MISSING,
        "Nothing answers at this path of the HTTP port.",
        "`hostd trigger list` shows webhooks; `/hooks/<namespace>/<path>` is where they answer.",
    ),
    "METHOD_REFUSED": ReasonPage(
        Kind.INVALID, "The path does not take this method.", "Use one of those in the answer's Allow header."
    ),
    "HEADERS_TOO_LARGE": ReasonPage(
        Kind.INVALID, "The request line or headers are too long or too many.", "Send less, or raise `http.headers_max`."
    ),
    "BODY_TOO_SLOW": ReasonPage(
        Kind.TIMEOUT, "The body of a request did not arrive in time.", "Send it faster, or raise `http.body_timeout`."
    ),
    "ENCODING_REFUSED": ReasonPage(
        Kind.INVALID,
        "The body is compressed, and compressed bodies are not taken.",
        "Send it without Content-Encoding.",
    ),
    "HTTP_BUSY": ReasonPage(
        Kind.EXHAUSTED,
        "The HTTP port answers as many requests as it may, or half of them wait for the trigger behind one path.",
        "Try again, or raise `http.connections_max`. Where it is one path, see why its plugin does not answer.",
    ),
    "WEBHOOK_TIMEOUT": ReasonPage(
        Kind.TIMEOUT,
        "The trigger behind a path did not answer a request in its time; whether it made a run is not known.",
        "See why: `hostd plugin show ID`, and the plugin's log. A plugin that needs longer says so with `timeout` of its route.",
    ),
    "HOST_REFUSED": ReasonPage(
        Kind.DENIED,
        "The Host header names something that is not this daemon.",
        "Call it by its address, or add the name to `http.hosts`.",
    ),
    "ORIGIN_REFUSED": ReasonPage(
        Kind.DENIED,
        "A web page of an origin that is not known asked.",
        "Add the origin to `http.origins` if you trust it.",
    ),
    "TOKEN_MISSING": ReasonPage(
        Kind.UNAUTHENTICATED,
        "The request carries no token.",
        "Name the daemon's data folder (--data) or give HOSTD_TOKEN; programs send `authorization: Bearer ...`. "
        "The owner's token is in <data>/token.",
    ),
    "TOKEN_INVALID": ReasonPage(
        Kind.UNAUTHENTICATED,
        "The token is not known.",
        "Use the content of <data>/token of the daemon you talk to; HOSTD_TOKEN goes before the data folder's.",
    ),
    "ACCESS_DENIED": ReasonPage(Kind.DENIED, "The principal may not do this.", "Ask the operator."),
    "INTAKE_FULL": ReasonPage(
        Kind.EXHAUSTED, "The doors' queue is full; nothing was accepted.", "Try again after the time in RetryInfo."
    ),
    "WATCH_TOO_SLOW": ReasonPage(
        Kind.EXHAUSTED, "The consumer of a watch did not keep up.", "Resume with the last token."
    ),
    "WATCHES_FULL": ReasonPage(
        Kind.EXHAUSTED,
        "As many watches are open as `limits.watches` allows.",
        "Let one watch with a wider filter serve many readers, close watches nobody reads, or raise the limit.",
    ),
    "WAIT_EXPIRED": ReasonPage(
        Kind.TIMEOUT,
        "The deadline passed while waiting for the run; the run goes on.",
        "Watch or get the run by its id.",
    ),
    "DRAINING": ReasonPage(
        Kind.UNAVAILABLE, "The daemon is stopping and takes nothing new.", "Try again when it is back."
    ),
    # -- journal
    "JOURNAL_LOCKED": ReasonPage(
        Kind.UNAVAILABLE, "Another daemon uses this journal.", "Stop it, or use another data folder."
    ),
    "JOURNAL_READ_ONLY": ReasonPage(
        Kind.UNAVAILABLE,
        "The journal's file or folder cannot be written.",
        "Check owner and rights of the data folder.",
    ),
    "JOURNAL_REPLACED": ReasonPage(
        Kind.UNAVAILABLE,
        "The journal's file was moved, removed or replaced while the daemon has it open; nothing new is accepted.",
        "Put it back; or save what the daemon holds with `hostd journal backup FILE`, stop the daemon, `hostd journal "
        "restore FILE`, start it.",
    ),
    "JOURNAL_FULL": ReasonPage(
        Kind.UNAVAILABLE,
        "The disk is full; nothing new is accepted, reading goes on.",
        "Free space; a daemon that runs tries again each second.",
    ),
    "JOURNAL_BUSY": ReasonPage(
        Kind.UNAVAILABLE,
        "Something else holds the journal's file; nothing new is accepted.",
        "Find the program that has journal.db open.",
    ),
    "JOURNAL_TOO_NEW": ReasonPage(
        Kind.CORRUPT, "The journal was written by a newer hostd.", "Use that version, or restore a backup of yours."
    ),
    "JOURNAL_CORRUPT": ReasonPage(
        Kind.CORRUPT,
        "The journal is damaged; the message names the place.",
        "`hostd journal check` lists what is damaged; restore a backup (docs/reference/journal.md).",
    ),
    "JOURNAL_TRUNCATED": ReasonPage(
        Kind.CORRUPT,
        "The journal ends before a batch that was acknowledged.",
        "Restore the file, or start with --accept-loss to go on without the lost batches.",
    ),
    "JOURNAL_MIGRATION": ReasonPage(
        Kind.CORRUPT,
        "A migration that was applied differs from the one this hostd carries.",
        "Use the hostd that wrote the journal; report it.",
    ),
    "JOURNAL_NETWORK_FS": ReasonPage(
        Kind.UNSUPPORTED,
        "The data folder lies on a network file system, where SQLite's locks do not hold.",
        "Use a local disk.",
    ),
    "JOURNAL_FAILED": ReasonPage(
        Kind.UNAVAILABLE, "The journal could not write; nothing was acknowledged.", "See the message."
    ),
    "JOURNAL_MISSING": ReasonPage(
        Kind.MISSING,
        "There is no journal file at the path.",
        "Check the path; the journal of a data folder is <data>/journal.db.",
    ),
    "JOURNAL_CONFLICT": ReasonPage(
        Kind.CONFLICT,
        "A batch contradicts what the journal holds; nothing of it was written.",
        "A mistake in hostd: report it with the message.",
    ),
    "RECORD_TOO_NEW": ReasonPage(
        Kind.CORRUPT,
        "A run's history holds a record written by a newer hostd; the run is held.",
        "Use that version; its start lets the run go on.",
    ),
    "RECORD_CORRUPT": ReasonPage(
        Kind.CORRUPT,
        "A run's history holds a damaged record; the run is held.",
        "`hostd journal check`; restore a backup, or mend it and `hostd run resume` the run.",
    ),
    # -- signals
    "SIGNAL_UNKNOWN": ReasonPage(
        Kind.STATE,
        "The run's workflow takes no signal of this name; the message lists what it takes.",
        "Declare it under `signals` in a new version; runs that are open keep the version they began with.",
    ),
    "SIGNAL_INVALID": ReasonPage(
        Kind.INVALID, "A signal's data does not fit its schema in `signals`.", "Correct the fields the violations name."
    ),
    "SIGNALS_FULL": ReasonPage(
        Kind.EXHAUSTED,
        "A run keeps 64 signals of a name and 1,024 in all until steps take them, within the limits of its values.",
        "Send no more until the run has taken some; the message says how many wait.",
    ),
    "KEY_INVALID": ReasonPage(
        Kind.INVALID,
        "A trigger's `key` gave no text of 1 to 256 bytes.",
        "Build it from a field that every event has, or leave events without it out with `if`.",
    ),
    # -- daemon
    "VARIABLE_INVALID": ReasonPage(
        Kind.INVALID,
        "A `${VAR}` in the configuration names a variable that is not set, or is not written as one.",
        "Set the variable, or give a default with `${VAR:-default}`; `$${` is a literal `${`.",
    ),
    "CONFIG_INVALID": ReasonPage(
        Kind.INVALID,
        "The configuration has mistakes; each is listed with its place.",
        "Correct what is named; `hostd config check FILE` checks without a start, docs/reference/config.md has every key.",
    ),
    "CONFIG_NOT_READ": ReasonPage(
        Kind.STATE,
        "The daemon did not read its configuration: the program it runs in made it, so there is nothing to read again.",
        "Change it in that program, and start anew.",
    ),
    "ADDRESS_IN_USE": ReasonPage(
        Kind.UNAVAILABLE,
        "Another program listens on the address.",
        "Stop it (`ss -ltnp` shows which it is), or choose another with --listen or --http.",
    ),
    "ADDRESS_REFUSED": ReasonPage(
        Kind.INVALID,
        "The system does not let the daemon listen on the address.",
        "Choose an address of this machine, and a port that you may open.",
    ),
    "INSECURE_LISTEN": ReasonPage(
        Kind.INVALID,
        "Listening beyond loopback without TLS sends tokens in the clear.",
        "Configure TLS, or say --insecure.",
    ),
    "UNREACHABLE": ReasonPage(
        Kind.UNAVAILABLE,
        "No daemon answers at the address.",
        "Start one with `hostd serve`, or say where it is: --data or --address.",
    ),
    "OUTPUT_UNWRITABLE": ReasonPage(
        Kind.UNAVAILABLE,
        "The command's standard output cannot be written: the disk behind it is full, or broken.",
        "Make room, or write elsewhere; what the command did is done, and reading again prints it.",
    ),
    "TLS_FAILED": ReasonPage(
        Kind.STATE,
        "Client and daemon do not agree on TLS: one speaks it and the other does not, or the certificate is not trusted.",
        "Give --tls-ca the authority that signed the daemon's `tls.certificate`; without `tls` in its configuration leave it out.",
    ),
    "CALL_UNKNOWN": ReasonPage(
        Kind.UNSUPPORTED,
        "What was called does not have this call: a daemon older than the client, or no hostd.",
        "Upgrade the daemon (`hostd info` says its version), or use a client of its version.",
    ),
    "BUG": ReasonPage(Kind.BUG, "A mistake in hostd itself; the log holds the id.", "Report it with the id."),
}
