"""What `email.send` takes under `with:`, and what the operator decides about it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal

from pydantic import field_validator, model_validator

from hostd.plugin import Duration, Field, Options
from hostd_builtin.email.mailbox import one_line, parse_mailbox

MIB = 1024 * 1024
RECIPIENTS_MAX = 100
MESSAGE_BYTES_MAX = 25 * MIB
_TYPE = r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"
_HEADER = re.compile(
    r"(?:[Xx]-[A-Za-z0-9-]{1,60}|List-[A-Za-z-]{1,40}|Auto-Submitted|Precedence|References|In-Reply-To)"
)

Security = Literal["tls", "starttls", "none"]
PORTS: dict[str, int] = {"tls": 465, "starttls": 587, "none": 25}


class Server(Options):
    """A mail server."""

    host: str = Field(
        description="Name or address of the server.",
        pattern=r"^[A-Za-z0-9_.:-]+$",
        max_length=253,
        examples=["smtp.example.org"],
    )
    port: int | None = Field(None, description="Port; without it 465, 587 or 25, by `security`.", ge=1, le=65535)
    security: Security = Field(
        "starttls", description="`tls` from the first byte, `starttls` before anything is said, or `none`."
    )

    @property
    def the_port(self) -> int:
        """Return the port, given or usual."""
        return self.port or PORTS[self.security]


class Auth(Options):
    """A login."""

    username: str = Field(description="User name.", max_length=320, examples=["robot@example.org"])
    password: str = Field(
        description="Password.", secret=True, max_length=4096, examples=["${{ secrets.mail_password }}"]
    )


class Attachment(Options):
    """A file that goes along: exactly one of `text` and `base64`."""

    name: str = Field(description="File name the receiver sees.", min_length=1, max_length=255, examples=["report.csv"])
    text: str | None = Field(None, description="Content, in UTF-8.")
    base64: str | None = Field(None, description="Content in base64.")
    content_type: str = Field(
        "application/octet-stream", description="Media type.", pattern=_TYPE, examples=["text/csv"]
    )

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if "/" in name or "\\" in name:
            raise ValueError("an attachment's name holds no folder")
        return one_line(name, "an attachment's name")

    @model_validator(mode="after")
    def _has_one_content(self) -> Attachment:
        if (self.text is None) == (self.base64 is None):
            raise ValueError("an attachment has exactly one of text and base64")
        self.content()
        return self

    def content(self) -> bytes:
        """Return the bytes. Raises ValueError when `base64` is none."""
        if self.text is not None:
            return self.text.encode("utf-8")
        try:
            return base64.b64decode(self.base64 or "", validate=True)
        except binascii.Error:
            raise ValueError("an attachment's base64 holds something else than base64") from None


class SendOptions(Options):
    """One message."""

    from_: str = Field(
        alias="from", description="Sender, `a@b.org` or `Name <a@b.org>`.", examples=["robot@example.org"]
    )
    to: str | list[str] = Field(
        default_factory=list, description="Receivers, one or a list.", examples=[["Ada <ada@example.org>"]]
    )
    cc: str | list[str] = Field(default_factory=list, description="Receivers of a copy.")
    bcc: str | list[str] = Field(default_factory=list, description="Receivers of a copy whom nobody sees.")
    reply_to: str | list[str] = Field(default_factory=list, description="Where answers go, if not to the sender.")
    subject: str = Field(description="Subject, one line.", max_length=900, examples=["Your order has shipped"])
    text: str | None = Field(
        None, description="Body as plain text; with `html`, what readers without HTML see.", examples=["It is ready."]
    )
    html: str | None = Field(None, description="Body as HTML.")
    attachments: list[Attachment] = Field(default_factory=list, description="Files that go along.", max_length=50)
    headers: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "Further headers: `X-...`, `List-...`, `Auto-Submitted`, `Precedence`, `References`, `In-Reply-To`."
        ),
        max_length=20,
        examples=[{"Auto-Submitted": "auto-generated"}],
    )
    server: Server | None = Field(None, description="Mail server; without it the operator's.")
    auth: Auth | None = Field(None, description="Login at the server; never sent over an unprotected connection.")
    timeout: Duration = Field("30s", description="For the whole exchange.", gt="0s", le="10m")

    @field_validator("from_")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        parse_mailbox(text)
        return text

    @field_validator("to", "cc", "bcc", "reply_to")
    @classmethod
    def _are_addresses(cls, given: str | list[str]) -> list[str]:
        texts = [given] if isinstance(given, str) else list(given)
        for text in texts:
            parse_mailbox(text)
        return texts

    @field_validator("subject")
    @classmethod
    def _is_one_line(cls, subject: str) -> str:
        return one_line(subject, "the subject")

    @field_validator("headers")
    @classmethod
    def _may_be_set(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name[:60]!r} cannot be set here; see the description of `headers`")
            one_line(value, f"the header {name}")
        return headers

    @model_validator(mode="after")
    def _is_a_message(self) -> SendOptions:
        count = len(self.to) + len(self.cc) + len(self.bcc)
        if not 1 <= count <= RECIPIENTS_MAX:
            raise ValueError(f"a message has 1 to {RECIPIENTS_MAX} receivers in to, cc and bcc, not {count}")
        if self.text is None and self.html is None:
            raise ValueError("write text, html, or both")
        if self.auth is not None and self.server is not None and self.server.security == "none":
            raise ValueError("auth needs security: tls or starttls; the password would be readable on the way")
        return self


class EmailSettings(Options):
    """What the operator decides."""

    server: Server | None = Field(None, description="Mail server of steps that name none; may lie anywhere.")
    ca_file: str = Field("", description="File of certificates (PEM) to trust beside the system's; empty = none.")
    private: bool = Field(False, description="Allow steps' servers at loopback, private and link-local addresses.")
    allow: tuple[str, ...] = Field((), description="Hosts or networks that are allowed although they are private.")
    deny: tuple[str, ...] = Field((), description="Hosts or networks that are never allowed.")
