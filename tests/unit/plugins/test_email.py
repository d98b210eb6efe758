"""`email.send` against a real SMTP server: TLS, login, what arrives, and what a refusal becomes."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pydantic import ValidationError

from hostd.plugin import ActionError
from hostd.plugin.testing import FakeActionContext, run_action
from hostd_builtin.email.message import build
from hostd_builtin.email.options import SendOptions
from hostd_builtin.email.send import Send

MESSAGE: dict[str, Any] = {
    "from": "Robot <robot@example.org>",
    "to": "Ada Lovelace <ada@example.org>",
    "subject": "Grüße",
    "text": "hällo\n",
}


class Postbox:
    """A server's handler: keeps what comes, answers what the test says."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], EmailMessage]] = []
        self.logins: list[tuple[str, str]] = []
        self.protected: list[bool] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take a receiver, or not."""
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message, or not."""
        answer = self.answers.get("DATA", "250 kept")
        if answer.startswith("250"):
            message: Any = email.message_from_bytes(envelope.content, policy=default)
            self.kept.append((envelope.mail_from, envelope.rcpt_tos, message))
            self.protected.append(server.transport.get_extra_info("sslcontext") is not None)
        return answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """Know one password."""
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return who signs certificates."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Return the authority's certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def postbox() -> Postbox:
    """Return the handler."""
    return Postbox()


class Servers:
    """Starts servers on free ports."""

    def __init__(self, postbox: Postbox, context: ssl.SSLContext) -> None:
        self._postbox = postbox
        self._context = context
        self.open: list[asyncio.Server] = []

    async def start(self, security: str, *, login: bool = False) -> dict[str, Any]:
        """Return the `server` option of a new server."""

        def session() -> SMTP:
            return SMTP(
                self._postbox,
                hostname="localhost",
                tls_context=self._context if security == "starttls" else None,
                require_starttls=security == "starttls",
                authenticator=self._postbox.authenticate,
                auth_required=login,
                auth_require_tls=security == "starttls",
            )

        context = self._context if security == "tls" else None
        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=context)
        self.open.append(server)
        return {"host": "localhost", "port": server.sockets[0].getsockname()[1], "security": security}


@pytest.fixture
async def servers(postbox: Postbox, certified: ssl.SSLContext) -> AsyncIterator[Servers]:
    """Return what starts servers."""
    made = Servers(postbox, certified)
    yield made
    for server in made.open:
        server.close()


async def send(ca_file: str = "", *, key: str = "KEY234", **options: Any) -> Any:
    """Send; loopback is permitted."""
    context = FakeActionContext(idempotency_key=key)
    return await run_action(Send, {**MESSAGE, **options}, ctx=context, settings={"private": True, "ca_file": ca_file})


async def failure(ca_file: str = "", **options: Any) -> ActionError:
    """Return what sending fails with."""
    with pytest.raises(ActionError) as caught:
        await send(ca_file, **options)
    return caught.value


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_protected_message_with_a_login(
    servers: Servers, postbox: Postbox, ca_file: str, security: str
) -> None:
    """TLS from the first byte and STARTTLS: the login comes after, the message arrives as written."""
    server = await servers.start(security, login=security == "starttls")
    auth = {"username": "robot", "password": "right"} if security == "starttls" else None
    sent = await send(
        ca_file,
        server=server,
        auth=auth,
        cc=["Bob <bob@example.org>"],
        bcc="carol@example.org",
        reply_to="help@example.org",
        html="<b>hällo</b>",
        attachments=[
            {"name": "naïve.csv", "text": "a,b\n", "content_type": "text/csv"},
            {"name": "x.bin", "base64": "AP8="},
        ],
        headers={"X-Team": "markets", "Auto-Submitted": "auto-generated"},
    )

    [(sender, receivers, message)] = postbox.kept
    assert (sender, receivers) == ("robot@example.org", ["ada@example.org", "bob@example.org", "carol@example.org"])
    assert postbox.protected == [True]
    assert postbox.logins == ([("robot", "right")] if auth else [])
    assert (message["From"], message["To"]) == (MESSAGE["from"], MESSAGE["to"])
    assert (message["Cc"], message["Reply-To"]) == ("Bob <bob@example.org>", "help@example.org")
    assert (message["Subject"], message["X-Team"], message["Bcc"]) == ("Grüße", "markets", None)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and plain.get_content().strip() == "hällo"
    assert html is not None and "<b>hällo</b>" in html.get_content()
    names = [(part.get_filename(), part.get_content_type()) for part in message.iter_attachments()]
    assert names == [("naïve.csv", "text/csv"), ("x.bin", "application/octet-stream")]
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [b"a,b\n", b"\x00\xff"]
    assert message["Message-ID"] == sent["message_id"] == "<key234@example.org>"
    assert (sent["accepted"], sent["refused"]) == (receivers, {})


async def test_each_try_has_the_same_message_id(servers: Servers, postbox: Postbox) -> None:
    """A repetition is recognised; another step's message is another."""
    server = await servers.start("none")
    for key in ("A", "A", "B"):
        await send(server=server, key=key)
    ids = [message["Message-ID"] for _, _, message in postbox.kept]
    assert ids == ["<a@example.org>", "<a@example.org>", "<b@example.org>"]


@pytest.mark.parametrize(("answer", "retryable"), [("451 later", True), ("421 busy", True), ("554 never", False)])
async def test_a_refusal_by_its_code(servers: Servers, postbox: Postbox, answer: str, retryable: bool) -> None:
    """4xx may pass, 5xx does not; of the message or of its only receiver alike."""
    server = await servers.start("none")
    for place in ("DATA", "ada@example.org"):
        postbox.answers = {place: answer}
        error = await failure(server=server)
        assert (error.code, error.retryable) == (f"SMTP_{answer[:3]}", retryable)
        assert answer[4:] in error.message


async def test_some_receivers_are_refused(servers: Servers, postbox: Postbox) -> None:
    """The others get the message; the output names who did not."""
    server = await servers.start("none")
    postbox.answers = {"bob@example.org": "550 unknown"}
    sent = await send(server=server, cc="bob@example.org")
    assert sent["accepted"] == ["ada@example.org"]
    assert sent["refused"] == {"bob@example.org": {"code": 550, "message": "unknown"}}


async def test_a_wrong_password_is_final(servers: Servers, ca_file: str, postbox: Postbox) -> None:
    """535 is not tried again, and the password stands in no message."""
    server = await servers.start("starttls", login=True)
    error = await failure(ca_file, server=server, auth={"username": "robot", "password": "wrong-secret"})
    assert (error.code, error.retryable) == ("SMTP_535", False)
    assert "wrong-secret" not in error.message
    assert postbox.kept == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_nobody_trusts(servers: Servers, postbox: Postbox, security: str) -> None:
    """Nothing is sent, the login neither."""
    server = await servers.start(security)
    error = await failure(server=server, auth={"username": "robot", "password": "right"})
    assert (error.code, error.retryable) == ("TLS", False)
    assert (postbox.kept, postbox.logins) == ([], [])


async def test_a_server_that_offers_no_protection(servers: Servers, ca_file: str, postbox: Postbox) -> None:
    """STARTTLS that is not offered fails; nothing goes in the clear instead."""
    server = await servers.start("none")
    error = await failure(ca_file, server={**server, "security": "starttls"})
    assert (error.code, error.retryable) == ("UNSUPPORTED", False)
    assert postbox.kept == []


async def test_servers_that_are_not_there(servers: Servers, unused_tcp_port: int) -> None:
    """A closed port may open; one that is silent is given up; private ones need the operator."""
    closed = {"host": "127.0.0.1", "port": unused_tcp_port, "security": "none"}
    error = await failure(server=closed)
    assert (error.code, error.retryable) == ("NETWORK", True)
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    error = await failure(server={**closed, "port": port}, timeout="200ms")
    assert (error.code, error.retryable) == ("TIMEOUT", True)
    silent.close()
    server = await servers.start("none")
    for options, settings, code in (
        ({"server": server}, {}, "ADDRESS_DENIED"),
        ({}, {}, "NO_SERVER"),
        ({"auth": {"username": "a", "password": "b"}}, {"server": server}, "UNPROTECTED"),
    ):
        with pytest.raises(ActionError) as caught:
            await run_action(Send, {**MESSAGE, **options}, settings=settings)
        assert caught.value.code == code
    await run_action(Send, MESSAGE, settings={"server": server})  # the operator's own may lie anywhere


INJECTED = "a@example.org\r\nBcc: eve@example.org"


@pytest.mark.parametrize(
    "options",
    [
        {"from": INJECTED},
        {"to": [INJECTED]},
        {"to": "Ada\nBcc: <eve@example.org>"},
        {"to": "a@example.org, eve@example.org"},
        {"to": "a@example.org>\r\nRCPT TO:<eve@example.org"},
        {"reply_to": "a@exa\u2028mple.org"},
        {"subject": "hi\r\nBcc: eve@example.org"},
        {"subject": "hi\x00"},
        {"headers": {"X-A": "b\r\nBcc: eve@example.org"}},
        {"headers": {"X-A\r\nBcc": "eve@example.org"}},
        {"headers": {"Bcc": "eve@example.org"}},
        {"headers": {"Content-Type": "text/html"}},
        {"attachments": [{"name": 'a"\r\nX: y', "text": ""}]},
        {"attachments": [{"name": "../a", "text": ""}]},
        {"attachments": [{"name": "a", "text": "", "content_type": "text/plain\r\nX: y"}]},
        {"attachments": [{"name": "a"}]},
        {"attachments": [{"name": "a", "base64": "%"}]},
        {"to": []},
        {"to": ["nobody"]},
        {"to": [f"a{n}@example.org" for n in range(101)]},
        {"text": None},
        {"server": {"host": "a b"}},
        {"server": {"host": "x", "security": "none"}, "auth": {"username": "a", "password": "b"}},
    ],
    ids=lambda options: str(options)[:40],
)
def test_what_could_become_another_message_is_refused(options: dict[str, Any]) -> None:
    """Line breaks in headers and addresses, headers that are ours, several addresses in one, nobody to send to."""
    with pytest.raises(ValidationError):
        SendOptions.model_validate({**MESSAGE, **options})


def test_odd_names_stay_names() -> None:
    """Commas, quotes and other scripts in a name do not become addresses; international domains are translated."""
    options = SendOptions.model_validate({**MESSAGE, "to": ['"Lovelace, Ada" <a@bücher.example>', "Łucja <l@b.pl>"]})
    written = build(options, key="k", at=FakeActionContext().clock.now()).as_bytes()
    read: Any = email.message_from_bytes(written, policy=default)
    assert [(one.display_name, one.addr_spec) for one in read["To"].addresses] == [
        ("Lovelace, Ada", "a@xn--bcher-kva.example"),
        ("Łucja", "l@b.pl"),
    ]
