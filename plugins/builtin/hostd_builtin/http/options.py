"""What `http.request` takes under `with:`, and what the operator decides about it."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from hostd.plugin import BlobRef, Duration, Field, Options
from hostd_builtin.http.addresses import check_rule
from hostd_builtin.http.auth_options import Auth
from hostd_builtin.http.pages import Paging

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
QueryValue = str | int | float | bool
MIB = 1024 * 1024
_BODIES = ("json_body", "body", "body_base64", "body_blob", "form", "multipart")
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


class Tls(Options):
    """Whom to trust beyond what the machine trusts, and who we are. All in PEM."""

    ca: str | None = Field(
        None, description="Certificates that are trusted, instead of the machine's.", max_length=262_144
    )
    certificate: str | None = Field(
        None, description="Our certificate, for servers that ask.", max_length=262_144, examples=["${{ secrets.cert }}"]
    )
    key: str | None = Field(
        None, description="Its private key.", secret=True, max_length=65_536, examples=["${{ secrets.cert_key }}"]
    )

    @model_validator(mode="after")
    def _both(self) -> Tls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("`certificate` and `key` go together")
        return self


class Part(Options):
    """A part of a multipart body."""

    name: str = Field(description="Name of the field.", min_length=1, max_length=200)
    value: QueryValue | None = Field(None, description="Its value.")
    base64: str | None = Field(None, description="Its bytes, as base64.")
    blob: dict[str, Any] | str | None = Field(None, description="Its bytes, in a blob: a reference, or a digest.")
    filename: str | None = Field(None, description="Name of the file that it is.", max_length=255)
    content_type: str | None = Field(
        None,
        description="Content type.",
        pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;[ -~]*)?$",
        max_length=200,
    )

    @field_validator("base64")
    @classmethod
    def _is_base64(cls, text: str | None) -> str | None:
        return checked_base64(text)

    @field_validator("blob")
    @classmethod
    def _is_blob(cls, given: Any) -> Any:
        return checked_blob(given)

    @model_validator(mode="after")
    def _one_content(self) -> Part:
        if sum(each is not None for each in (self.value, self.base64, self.blob)) != 1:
            raise ValueError("a part has one of value, base64 and blob")
        return self


def checked_base64(text: str | None) -> str | None:
    """Return base64 text. Raises ValueError."""
    try:
        base64.b64decode(text or "", validate=True)
    except ValueError:
        raise ValueError("this is no base64 text") from None
    return text


def checked_blob(given: Any) -> Any:
    """Return a blob's reference or digest. Raises ValueError."""
    if given is None or BlobRef.from_json(given) is not None:
        return given
    if isinstance(given, str) and re.fullmatch(r"[0-9a-f]{64}", given):
        return given
    raise ValueError('a blob is `{"$blob": digest, ...}` as an action returned it, or its digest')


class RequestOptions(Options):
    """One HTTP request."""

    url: str = Field(
        description="Address, http or https.",
        pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/]+\S*$",
        max_length=8_192,
        examples=["https://prices.example/btc"],
    )
    method: Method = Field("GET", description="Method.")
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers to send; names are case-insensitive.",
        max_length=100,
        examples=[{"accept": "application/json"}],
    )
    query: dict[str, QueryValue | list[QueryValue] | None] = Field(
        default_factory=dict,
        description="Added to the address's query; a list repeats the name, null leaves it out.",
        max_length=100,
    )
    json_body: Any = Field(None, alias="json", description="Body, sent as JSON.")
    body: str | None = Field(None, description="Body, sent as it is, in UTF-8.")
    body_base64: str | None = Field(
        None, description="Body, sent as the bytes this is the base64 of.", examples=["iVBORw0KGgo="]
    )
    form: dict[str, QueryValue] | None = Field(
        None, description="Body, sent as a form (URL-encoded).", max_length=1_000
    )
    body_blob: dict[str, Any] | str | None = Field(
        None, description="Body, the bytes of a blob: what an action returned for it, or its digest."
    )
    multipart: list[Part] | None = Field(
        None,
        description="Body, as multipart/form-data: parts with `name` and `value`, `base64` or `blob`; `filename` and "
        "`content_type` where they are files.",
        min_length=1,
        max_length=100,
    )
    auth: Auth | None = Field(
        None,
        description="`{type: basic, username, password}`, `{type: bearer, token}`, `{type: api_key, key}` or "
        "`{type: oauth2, token_url, client_id, client_secret}`; never sent to another host.",
    )
    tls: Tls | None = Field(None, description="`{ca, certificate, key}`: whom to trust, and who we are.")
    timeout: Duration = Field("30s", description="For the whole exchange, redirects included.", gt="0s", le="1h")
    max_response_bytes: int = Field(MIB, description="A larger answer fails the step.", ge=0, le=16 * MIB)
    redirects: Literal["follow", "same_origin", "refuse"] = Field(
        "follow",
        description="Where redirects may lead: anywhere but from https to http, to the same origin, or nowhere.",
    )
    max_redirects: int = Field(5, description="Redirects to follow; 0 returns the redirect itself.", ge=0, le=20)
    expect_status: list[Annotated[int, Field(ge=100, le=599)] | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]] = Field(
        ["2xx"],
        description="Statuses that are a success (numbers, or classes such as `2xx`); others fail the step.",
        min_length=1,
        max_length=50,
    )
    parse: Literal["auto", "json", "text", "base64", "bytes"] = Field(
        "auto", description="How `body` is given: by the answer's content type, or as said; `bytes` come as base64."
    )
    to: Literal["output", "blob"] = Field(
        "output", description="Whether the answer's body is put out, or kept as a blob and referred to."
    )
    paginate: Paging | None = Field(
        None,
        description="`{type: link}`, `next`, `cursor`, `page` or `offset`: asks for every page, and `body` is the list "
        "of all items.",
    )

    @field_validator("url")
    @classmethod
    def _no_user_in_url(cls, url: str) -> str:
        if "@" in url.partition("//")[2].partition("/")[0].partition("?")[0]:
            raise ValueError("user and password do not belong into the address; use `auth`")
        return url

    @field_validator("headers")
    @classmethod
    def _headers_are_clean(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not name or not name.isascii() or any(char in name for char in " :\r\n\t\0"):
                raise ValueError(f"{name[:60]!r} is no header name")
            if name.lower() in _FORBIDDEN_HEADERS:
                raise ValueError(f"the header {name} is set by hostd")
            if any(char in value for char in "\r\n\0"):
                raise ValueError(f"the value of the header {name} holds a line break")
        return headers

    @field_validator("body_base64")
    @classmethod
    def _body_is_base64(cls, text: str | None) -> str | None:
        return checked_base64(text)

    @field_validator("body_blob")
    @classmethod
    def _body_is_blob(cls, given: Any) -> Any:
        return checked_blob(given)

    @model_validator(mode="after")
    def _one_body(self) -> RequestOptions:
        given = [name for name in _BODIES if name in self.model_fields_set]
        if len(given) > 1:
            raise ValueError("give only one of json, body, body_base64, body_blob, form and multipart")
        if given and self.method == "HEAD":
            raise ValueError("a HEAD request has no body")
        return self

    @model_validator(mode="after")
    def _pages_fit(self) -> RequestOptions:
        if self.paginate is not None and (
            self.method != "GET" or self.to == "blob" or self.parse not in ("auto", "json")
        ):
            raise ValueError("`paginate` collects JSON by GET; it goes with no other `method`, `parse` or `to`")
        return self

    @property
    def has_json(self) -> bool:
        """Whether `json` was written, null included."""
        return "json_body" in self.model_fields_set


class RequestSettings(Options):
    """Where requests of steps and scripts may go."""

    private: bool = Field(False, description="Allow loopback, private and link-local addresses.")
    allow: tuple[str, ...] = Field((), description="Hosts or networks that are allowed although they are private.")
    deny: tuple[str, ...] = Field((), description="Hosts or networks that are never allowed.")

    proxy: str | None = Field(
        None,
        description="Proxy for every request, `http://[user:password@]host:port`. It resolves names anew, so it must "
        "itself refuse private addresses and what `deny` names.",
        pattern=r"^https?://\S+$",
        secret=True,
    )

    @field_validator("allow", "deny")
    @classmethod
    def _rules_are_read(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            check_rule(rule)
        return rules
