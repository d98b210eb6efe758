"""What `http.request` takes under `with:`, and what the operator decides about it."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from hostd.plugin import Duration, Field, Options
from hostd_builtin.http.addresses import check_rule

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
QueryValue = str | int | float | bool
MIB = 1024 * 1024
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


class BasicAuth(Options):
    """HTTP basic authentication."""

    type: Literal["basic"] = Field(description="Kind of authentication.")
    username: str = Field(description="User name; must hold no colon.", pattern=r"^[^:\r\n]*$")
    password: str = Field(description="Password.", secret=True, examples=["${{ secrets.api_password }}"])


class BearerAuth(Options):
    """A token in the `Authorization` header."""

    type: Literal["bearer"] = Field(description="Kind of authentication.")
    token: str = Field(
        description="The token.", secret=True, pattern=r"^[^\r\n]+$", examples=["${{ secrets.api_token }}"]
    )


Auth = Annotated[BasicAuth | BearerAuth, Field(discriminator="type")]


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
    auth: Auth | None = Field(
        None, description="`{type: basic, username, password}` or `{type: bearer, token}`; never sent to another host."
    )
    timeout: Duration = Field("30s", description="For the whole exchange, redirects included.", gt="0s", le="1h")
    max_response_bytes: int = Field(MIB, description="A larger answer fails the step.", ge=0, le=16 * MIB)
    max_redirects: int = Field(5, description="Redirects to follow; 0 returns the redirect itself.", ge=0, le=20)
    expect_status: list[Annotated[int, Field(ge=100, le=599)] | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]] = Field(
        ["2xx"],
        description="Statuses that are a success (numbers, or classes such as `2xx`); others fail the step.",
        min_length=1,
        max_length=50,
    )
    parse: Literal["auto", "json", "text", "base64"] = Field(
        "auto", description="How `body` is given: by the answer's content type, or as said."
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
        try:
            base64.b64decode(text or "", validate=True)
        except ValueError:
            raise ValueError("this is no base64 text") from None
        return text

    @model_validator(mode="after")
    def _one_body(self) -> RequestOptions:
        given = [name for name in ("json_body", "body", "body_base64", "form") if name in self.model_fields_set]
        if len(given) > 1:
            raise ValueError("give only one of json, body, body_base64 and form")
        if given and self.method == "HEAD":
            raise ValueError("a HEAD request has no body")
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

    @field_validator("allow", "deny")
    @classmethod
    def _rules_are_read(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            check_rule(rule)
        return rules
