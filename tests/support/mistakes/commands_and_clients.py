"""Mistakes on the command line: names, files, input, and where the daemon is; and clients of another version."""

from __future__ import annotations

import socket

import grpc
import trustme
from mistakes.kit import Stage, mistake
from scripted_server import Scripted, ScriptedServer

COMMANDS = "The command line"
REACHING = "Reaching the daemon"
ORDER = """\
workflow: order
inputs:
  type: object
  required: [amount]
  properties: {amount: {type: integer}, coin: {type: string, default: btc}}
triggers:
  shop: {uses: http.webhook, with: {path: order}, input: {amount: "${{ event.data.amount }}"}}
steps:
  say: {uses: log.write, with: {message: "${{ input.amount }}"}}
"""


def registered(stage: Stage, name: str = "order.yaml", text: str = ORDER) -> None:
    """Have a workflow in the daemon."""
    stage.file(name, text, shown=False)
    stage.prepare("workflow", "register", name)


@mistake(COMMANDS)
def unknown_command(stage: Stage) -> None:
    """A misspelt command or option.

    The nearest one is named.
    """
    stage.hostd("rusn", "list")
    stage.hostd("runs", "lits")
    stage.hostd("runs", "list", "--limt", "5")


@mistake(COMMANDS)
def missing_file(stage: Stage) -> None:
    """A file that is not there.

    A misspelt name, or another folder than thought.
    """
    stage.file("order.yaml", ORDER, shown=False)
    stage.hostd("validate", "odrer.yaml")
    stage.hostd("workflow", "register", "flows/order.yaml")


@mistake(COMMANDS)
def folder_for_a_file(stage: Stage) -> None:
    """A folder where a file is taken.

    Commands take files; the shell's `*` names all of a folder.
    """
    stage.file("flows/order.yaml", ORDER, shown=False)
    stage.hostd("validate", "flows")


@mistake(COMMANDS)
def file_without_rights(stage: Stage) -> None:
    """A file that you may not read.

    It belongs to another user.
    """
    path = stage.file("order.yaml", ORDER, shown=False)
    path.chmod(0)
    stage.without_root("validate", "order.yaml")


@mistake(COMMANDS)
def unknown_workflow(stage: Stage) -> None:
    """A workflow that is not registered.

    Misspelt, or in another namespace.
    """
    registered(stage)
    stage.hostd("runs", "start", "ordr")
    stage.hostd("workflow", "show", "payments")


@mistake(COMMANDS)
def unknown_run(stage: Stage) -> None:
    """A run that is not there.

    Deleted by retention, cut off when it was copied, or in another namespace.
    """
    stage.hostd("runs", "show", "0197a1b2c3d4")
    stage.hostd("runs", "show", "order/k-1")


@mistake(COMMANDS)
def unknown_trigger(stage: Stage) -> None:
    """A trigger that is not there.

    A trigger is named by its workflow and its own name.
    """
    registered(stage)
    stage.hostd("trigger", "fire", "order", "shpo")


@mistake(COMMANDS)
def bad_json_input(stage: Stage) -> None:
    """Input that is no JSON.

    The shell took the quotes away.
    """
    registered(stage)
    stage.hostd("runs", "start", "order", "--input", "{amount: 5}")
    stage.hostd("runs", "start", "order", "--input", "@inptu.json")


@mistake(COMMANDS)
def input_against_the_schema(stage: Stage) -> None:
    """Input that does not fit the workflow's `inputs`.

    Every fault is listed with its field.
    """
    registered(stage)
    stage.hostd("runs", "start", "order", "--input", '{"amount": "five", "coin": 7}')
    stage.hostd("runs", "start", "order")


@mistake(COMMANDS)
def bad_filter(stage: Stage) -> None:
    """A filter with one equals sign, or with a field that is not there.

    Filters are expressions, and values stand in quotes.
    """
    stage.hostd("runs", "list", "--filter", "state=FAILED")
    stage.hostd("runs", "list", "--filter", "state == FAILED")
    stage.hostd("runs", "list", "--filter", 'status == "FAILED"')


@mistake(COMMANDS)
def unknown_reason(stage: Stage) -> None:
    """Asking about a word that is not there.

    `explain` knows reasons, keys, actions and triggers.
    """
    stage.hostd("explain", "NEED_MISING")
    stage.hostd("explain", "http.reqest")


@mistake(COMMANDS)
def unfinished_expression(stage: Stage) -> None:
    """An expression that cannot be read, or reads what is not there.

    `hostd expr` tries expressions without a daemon.
    """
    stage.file("context.json", '{"input": {"name": "ada"}}\n')
    stage.hostd("expr", "size(input.name", "--context", "context.json")
    stage.hostd("expr", "input.nmae", "--context", "context.json")


@mistake(COMMANDS)
def bad_lua(stage: Stage) -> None:
    """A script that does not compile, and one that fails.

    Lua has `end` and `~=`; `nil` has no fields.
    """
    stage.file("double.lua", "local n = input.n\nif n != 2 then\n  return n * 2\nend\n")
    stage.hostd("script", "validate", "double.lua")
    stage.file("fails.lua", "local total = input.order.total\nreturn total * 2\n")
    stage.hostd("script", "run", "fails.lua")


@mistake(COMMANDS)
def missing_secret(stage: Stage) -> None:
    """A secret that was never set.

    A run is refused nothing at its start; the step that needs the secret fails.
    """
    stage.file(
        "call.yaml",
        """\
        workflow: call
        steps:
          call: {uses: log.write, with: {message: "${{ secrets.hook_url }}"}}
        """,
    )
    stage.hostd("run", "call.yaml")


@mistake(COMMANDS)
def expression_fails(stage: Stage) -> None:
    """A step that reads what the step before did not give.

    `default(x, y)` turns what is missing into y.
    """
    stage.file(
        "greet.yaml",
        """\
        workflow: greet
        steps:
          made: {uses: flow.pass, with: {output: {name: ada}}}
          say: {needs: made, uses: log.write, with: {message: "${{ steps.made.output.nmae }}"}}
        """,
    )
    stage.hostd("run", "greet.yaml")


@mistake(COMMANDS)
def request_id_twice(stage: Stage) -> None:
    """One request id for two requests.

    A request id makes the same request safe to repeat; another request needs another one.
    """
    registered(stage)
    stage.prepare("runs", "start", "order", "--input", '{"amount": 1}', "--request-id", "monday")
    stage.hostd("runs", "start", "order", "--input", '{"amount": 2}', "--request-id", "monday")


@mistake(REACHING)
def daemon_not_running(stage: Stage) -> None:
    """No daemon runs.

    Or it runs on another data folder.
    """
    stage.hostd("runs", "list", HOSTD_DATA=str(stage.folder / "data"))
    stage.hostd("--data", "dtaa", "runs", "list")


@mistake(REACHING)
def wrong_address(stage: Stage) -> None:
    """An address where nobody listens, and one that is none.

    The gRPC port is 7420; 7421 is the HTTP port.
    """
    stage.hostd("--address", stage.port(7430), "runs", "list")
    stage.hostd("--address", "localhost", "runs", "list")
    stage.hostd("--address", "http://localhost:7420", "runs", "list")


@mistake(REACHING)
def name_that_is_not_known(stage: Stage) -> None:
    """A host name that nobody knows.

    Misspelt, or known in another network only.
    """
    stage.hostd("--address", "hostd.invalid:7420", "runs", "list")


@mistake(REACHING)
def http_port_for_grpc(stage: Stage) -> None:
    """The HTTP port instead of the gRPC port.

    Two ports: 7420 for clients and commands, 7421 for webhooks and metrics.
    """
    stage.also(stage.daemon.http, "127.0.0.1:7421")
    stage.hostd("--address", stage.daemon.http, "runs", "list")


@mistake(REACHING)
def no_token(stage: Stage) -> None:
    """No token over TCP.

    The Unix socket asks for none; TCP does, also from the same machine.
    """
    stage.hostd("--address", stage.daemon.listen, "runs", "list", HOSTD_DATA="", HOME=str(stage.folder))


@mistake(REACHING)
def wrong_token(stage: Stage) -> None:
    """A wrong token.

    That of another daemon, or from before `hostd token rotate`.
    """
    stage.hostd("--address", stage.daemon.listen, "runs", "list", HOSTD_TOKEN="0123456789abcdef0123456789abcdef")
    stage.hostd("--address", stage.daemon.listen, "runs", "list", HOSTD_TOKEN="two words")


@mistake(REACHING)
def tls_to_a_plain_port(stage: Stage) -> None:
    """TLS to a port without TLS.

    `--tls-ca` or HOSTD_TLS_CA is given, and the daemon has no certificate.
    """
    trustme.CA().cert_pem.write_to_path(stage.folder / "ca.pem")
    stage.hostd("--address", stage.daemon.listen, "--tls-ca", "ca.pem", "runs", "list")


@mistake(REACHING)
def plain_to_a_tls_port(stage: Stage) -> None:
    """A port with TLS without `--tls-ca`, and with the wrong authority.

    The daemon has a certificate; the command has to know whom to trust.
    """
    authority, other = trustme.CA(), trustme.CA()
    other.cert_pem.write_to_path(stage.folder / "other.pem")
    with tls_server(authority) as server:
        stage.also(server.address, "127.0.0.1:7420")
        stage.hostd("--address", server.address, "runs", "list")
        stage.hostd("--address", server.address, "--tls-ca", "other.pem", "runs", "list")


def tls_server(authority: trustme.CA) -> ScriptedServer:
    """Return a gRPC server with a certificate, as a daemon with `tls` has."""
    leaf = authority.issue_cert("127.0.0.1")
    chain = b"".join(part.bytes() for part in leaf.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
    return ScriptedServer(Scripted(), credentials)


@mistake(REACHING)
def missing_authority(stage: Stage) -> None:
    """An authority's file that is not there, or is no certificate.

    The private key and the certificate are easily taken for each other.
    """
    stage.hostd("--address", stage.daemon.listen, "--tls-ca", "ca.pem", "runs", "list")
    stage.file("notes.txt", "not a certificate\n", shown=False)
    stage.hostd("--address", stage.daemon.listen, "--tls-ca", "notes.txt", "runs", "list")
    stage.hostd("--address", stage.daemon.listen, "--tls-cert", "me.pem", "runs", "list")


@mistake(REACHING)
def older_daemon(stage: Stage) -> None:
    """A client that is newer than the daemon.

    It calls what the daemon does not have yet.
    """
    with ScriptedServer(Scripted()) as server:  # it has one service of the ten: what an old daemon is to a new client
        stage.also(server.address, "127.0.0.1:7420")
        stage.hostd("--address", server.address, "secret", "list")


@mistake(REACHING)
def message_too_large(stage: Stage) -> None:
    """An input that is too large.

    Large values are kept elsewhere, and their address is the input.
    """
    registered(stage)
    stage.file("large.json", '{"amount": 1, "note": "' + "x" * (5 << 20) + '"}', shown=False)
    stage.hostd("runs", "start", "order", "--input", "@large.json")


@mistake(REACHING)
def daemon_that_does_not_answer(stage: Stage) -> None:
    """A client's deadline that passes.

    What listens there is no daemon, or the daemon hangs.
    """
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        stage.also(address, "127.0.0.1:7420")
        stage.file(
            "ask.py",
            f"""\
            from hostd.client import connect_blocking
            from hostd.client.errors import HostdError

            with connect_blocking("{address}", token="{"0" * 32}", timeout_s=1) as client:
                try:
                    client.start("order", {{"amount": 1}})
                except HostdError as error:
                    print(error)
            """,
        )
        stage.python("ask.py")
