"""What `http.webhook` takes under `with:`."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from hostd.plugin import Duration, Field, Options
from hostd_builtin.http.hook_schema import check_schema
from hostd_builtin.http.public_keys import PRIVATE_PREFIX, is_public, public_key

MIB = 1024 * 1024
PATH = r"[A-Za-z0-9._~-]{1,128}"
PARAMETER = r"\{[A-Za-z_][A-Za-z0-9_]{0,31}\}"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"

HookMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Form = Literal["auto", "json", "form", "text", "base64"]
Keys = Annotated[list[Annotated[str, Field(min_length=1, max_length=4_096)]], Field(min_length=1, max_length=8)]


class HeaderRule(Options):
    """What a header must be."""

    required: bool = Field(True, description="Whether the header must be there.")
    equals: str | list[str] | None = Field(None, description="The value, or the values, that are taken.")
    pattern: str | None = Field(
        None, description="A regular expression (RE2) that the whole value must match.", max_length=1_000
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        import re2

        try:
            re2.compile(pattern or "")
        except re2.error as error:
            raise ValueError(f"this is no regular expression: {str(error)[:200]}") from None
        return pattern


class _Signed(Options):
    """What every kind of signature has."""

    secret: Annotated[str, Field(min_length=1, max_length=4_096)] | Keys = Field(
        description="The key that is shared with the sender; a list while keys are changed: any of them will do.",
        secret=True,
        examples=["${{ secrets.webhook_key }}"],
    )

    @property
    def keys(self) -> list[str]:
        """Return every key."""
        return [self.secret] if isinstance(self.secret, str) else list(self.secret)


class _Timed(_Signed):
    """A signature over the time too."""

    tolerance: Duration = Field("5m", description="How far the sender's clock may be off.", gt="0s", le="1d")


class HmacSignature(_Timed):
    """An HMAC in a header."""

    type: Literal["hmac"] = Field(description="Kind of signature.")
    header: str = Field(
        "x-signature", description="Header that holds it.", pattern=HEADER, examples=["x-signature-256"]
    )
    algorithm: Literal["sha256", "sha1", "sha512"] = Field("sha256", description="Hash.")
    encoding: Literal["hex", "base64"] = Field("hex", description="How the bytes are written.")
    prefix: str = Field("", description="What stands before it, such as `sha256=`.", max_length=32)
    timestamp_header: str | None = Field(
        None, description="Header with the time (seconds since 1970) that is signed too.", pattern=HEADER
    )
    signed: str | None = Field(
        None,
        description="What is signed, with `{body}` and `{timestamp}`; without it the body, or `{timestamp}.{body}`.",
        max_length=200,
    )

    @model_validator(mode="after")
    def _time_is_signed(self) -> HmacSignature:
        if self.message.count("{body}") != 1:
            raise ValueError("`signed` holds {body} once: what is not signed can be changed on the way")
        if ("{timestamp}" in self.message) != (self.timestamp_header is not None):
            raise ValueError("`signed` holds {timestamp} where there is a `timestamp_header`, and only there")
        return self

    @property
    def message(self) -> str:
        """Return the form of what is signed."""
        return self.signed or ("{body}" if self.timestamp_header is None else "{timestamp}.{body}")


class GitHubSignature(_Signed):
    """`X-Hub-Signature-256`, as GitHub and others in its way send it."""

    type: Literal["github"] = Field(description="Kind of signature.")


class StripeSignature(_Timed):
    """`Stripe-Signature: t=...,v1=...`."""

    type: Literal["stripe"] = Field(description="Kind of signature.")
    header: str = Field("stripe-signature", description="Header that holds time and signatures.", pattern=HEADER)


class SlackSignature(_Timed):
    """`X-Slack-Signature: v0=...` over `v0:<time>:<body>`."""

    type: Literal["slack"] = Field(description="Kind of signature.")


class StandardSignature(_Timed):
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,...` or `v1a,...`."""

    type: Literal["standard"] = Field(description="Kind of signature.")
    secret: Annotated[str, Field(min_length=1, max_length=4_096)] | Keys = Field(
        description="The key that is shared with the sender (`whsec_...`), or the sender's public key (`whpk_...`); "
        "a list while keys are changed: any of them will do.",
        secret=True,
        examples=["${{ secrets.webhook_key }}"],
    )

    @field_validator("secret")
    @classmethod
    def _keys_are_base64(cls, secret: str | list[str]) -> str | list[str]:
        for key in [secret] if isinstance(secret, str) else secret:
            public_key(key) if is_public(key) else standard_key(key)
        return secret

    @property
    def by_public_key(self) -> bool:
        """Whether any key is a public one, which takes a package more to verify."""
        return any(is_public(key) for key in self.keys)


def standard_key(text: str) -> bytes:
    """Return the bytes of a Standard Webhooks key, `whsec_<base64>`. Raises ValueError."""
    if text.startswith(PRIVATE_PREFIX):
        raise ValueError("`whsk_` is the sender's private key, which nobody else has; take its public key, `whpk_...`")
    try:
        key = base64.b64decode(text.removeprefix("whsec_") + "==", validate=False)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("a Standard Webhooks key is base64, with or without `whsec_` before it")
    return key


Signature = Annotated[
    HmacSignature | GitHubSignature | StripeSignature | SlackSignature | StandardSignature,
    Field(discriminator="type"),
]


class BasicCaller(Options):
    """HTTP basic authentication."""

    type: Literal["basic"] = Field(description="Kind of authentication.")
    username: str = Field(description="User name.", min_length=1, pattern=r"^[^:]*$", max_length=1_000)
    password: str = Field(description="Password.", secret=True, min_length=1, max_length=4_096)


class BearerCaller(Options):
    """A token in the `Authorization` header."""

    type: Literal["bearer"] = Field(description="Kind of authentication.")
    token: Annotated[str, Field(min_length=1, max_length=4_096)] | Keys = Field(
        description="The token, or a list while tokens are changed.", secret=True
    )


class KeyCaller(Options):
    """A key in a header of its own, or in the query."""

    type: Literal["api_key"] = Field(description="Kind of authentication.")
    key: Annotated[str, Field(min_length=1, max_length=4_096)] | Keys = Field(
        description="The key, or a list while keys are changed.", secret=True
    )
    header: str = Field("x-api-key", description="Header that holds it.", pattern=HEADER)
    query: str | None = Field(None, description="Key of the query that holds it instead.", min_length=1, max_length=100)


Caller = Annotated[BasicCaller | BearerCaller | KeyCaller, Field(discriminator="type")]


class HubChallenge(Options):
    """`GET ?hub.mode=subscribe&hub.challenge=...` is answered with the challenge (WebSub, Meta)."""

    type: Literal["hub"] = Field(description="Kind of verification.")
    verify_token: str = Field(
        description="What `hub.verify_token` must be.", secret=True, min_length=1, max_length=1_000
    )


class EchoChallenge(Options):
    """`GET ?<parameter>=...` is answered with the value."""

    type: Literal["echo"] = Field(description="Kind of verification.")
    parameter: str = Field("challenge", description="Key of the query.", min_length=1, max_length=100)


class SlackChallenge(Options):
    """A POST of `{"type": "url_verification", "challenge": ...}` is answered with the challenge."""

    type: Literal["slack"] = Field(description="Kind of verification.")


class CloudEventsChallenge(Options):
    """OPTIONS with `WebHook-Request-Origin` is answered with the permission to send."""

    type: Literal["cloudevents"] = Field(description="Kind of verification.")
    origins: list[str] = Field(
        description="Origins that may send; `*` for all.", min_length=1, max_length=100, examples=[["events.example"]]
    )


Challenge = Annotated[HubChallenge | EchoChallenge | SlackChallenge | CloudEventsChallenge, Field(discriminator="type")]


class RateLimit(Options):
    """A bucket of tokens; a request takes one."""

    count: int = Field(description="Requests in `per`.", ge=1, le=1_000_000, examples=[100])
    per: Duration = Field("1s", description="Time in which `count` tokens come back.", ge="100ms", le="1d")
    burst: int | None = Field(None, description="Tokens that the bucket holds; `count` without it.", ge=1, le=1_000_000)
    by: str = Field(
        "trigger",
        description="One bucket for all (`trigger`), one a sender's address (`remote`), or one a value of a header "
        "(`header:<name>`).",
        pattern=r"^(trigger|remote|header:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100})$",
    )
    buckets_max: int = Field(
        10_000, description="Buckets kept; past it the one that was unused longest is forgotten.", ge=1, le=100_000
    )


class Respond(Options):
    """What is answered to a request that became an event."""

    when: Literal["now", "wait"] = Field(
        "now", description="`now`: once the event is durable; `wait`: once the run has ended, with its output."
    )
    timeout: Duration = Field("30s", description="How long is waited for the run; then 202.", gt="0s", le="5m")
    waiting_max: int = Field(
        100, description="Requests that wait at once; those beyond are answered with 202.", ge=1, le=1_000
    )
    output: Literal["body", "response"] = Field(
        "body", description="The run's output is the body, or `{status, headers, body}`."
    )
    status: int | None = Field(None, description="Status of an answer of one's own.", ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of the answer.", max_length=32)
    body: Any = Field(None, description="Body of an answer of one's own: a text as it is, else as JSON.")

    @field_validator("headers")
    @classmethod
    def _headers_are_clean(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(HEADER, name) or any(char in value for char in "\r\n\0"):
                raise ValueError(f"{name[:60]!r} is no header that can be sent")
        return headers

    @model_validator(mode="after")
    def _own_or_the_runs(self) -> Respond:
        if self.when == "wait" and ("body" in self.model_fields_set or self.status is not None):
            raise ValueError("who waits answers with the run's output; `status` and `body` go with `when: now`")
        if self.when == "now" and self.output != "body":
            raise ValueError("`output` goes with `when: wait`")
        return self

    @property
    def own_body(self) -> bool:
        """Whether a body was written, null included."""
        return "body" in self.model_fields_set


class WebhookOptions(Options):
    """Where to listen, to whom, and what to answer."""

    path: str = Field(
        description="The daemon answers `/hooks/<namespace>/<path>`: one to eight parts of letters, digits and "
        "`.~_-`, or parameters such as `{id}`.",
        pattern=f"^/?({PATH}|{PARAMETER})(/({PATH}|{PARAMETER})){{0,7}}$",
        examples=["orders/new"],
    )
    methods: list[HookMethod] = Field(["POST"], description="Methods that make an event.", min_length=1, max_length=5)
    headers: dict[Annotated[str, Field(pattern=HEADER)], str | HeaderRule] = Field(
        default_factory=dict,
        description="Headers that are required: a value, or `{required, equals, pattern}`.",
        max_length=32,
        examples=[{"x-github-event": {"equals": ["push", "release"]}}],
    )
    body: Form = Field(
        "auto", description="What the body is: by its content type, or as said. `base64` takes any bytes."
    )
    body_schema: dict[str, Any] | bool | None = Field(
        None, alias="schema", description="JSON Schema of the data; what does not fit is refused with 400."
    )
    signature: Signature | None = Field(
        None,
        description="`{type: hmac}`, `github`, `stripe`, `slack` or `standard`, with `secret`: without a good "
        "signature 401.",
    )
    auth: Caller | None = Field(
        None,
        description="`{type: basic, username, password}`, `{type: bearer, token}` or `{type: api_key, key}`: else 401.",
    )
    challenge: Challenge | None = Field(
        None, description="`{type: hub}`, `echo`, `slack` or `cloudevents`: how a sender verifies the address."
    )
    cloudevents: Literal["off", "accept", "require"] = Field(
        "accept", description="Whether CloudEvents (binary, structured, batch) are read as such."
    )
    id_header: str | None = Field(
        None,
        description="Header that names the event, before the usual ones.",
        pattern=HEADER,
        examples=["x-github-delivery"],
    )
    rate_limit: RateLimit | Annotated[list[RateLimit], Field(max_length=4)] = Field(
        default_factory=list, description="One limit or a list, each `{count, per, burst, by}`; beyond them 429."
    )
    respond: Literal["now", "wait"] | Respond = Field(
        "now", description="`now` (202), `wait` (200 with the run's output), or `{when, timeout, status, body, ...}`."
    )
    max_body_bytes: int = Field(MIB, description="A larger body is refused with 413.", ge=0, le=MIB)

    @field_validator("body_schema")
    @classmethod
    def _schema_compiles(cls, schema: Any) -> Any:
        if schema is not None:
            check_schema(schema)
        return schema

    @model_validator(mode="after")
    def _fits_together(self) -> WebhookOptions:
        names = [part for part in self.path.split("/") if part.startswith("{")]
        if len(set(names)) < len(names):
            raise ValueError("a parameter's name stands once in `path`")
        if any(part in (".", "..") for part in self.path.split("/")):
            raise ValueError("`path` has no parts `.` and `..`")
        if isinstance(self.challenge, SlackChallenge) and (self.signature is None and self.auth is None):
            raise ValueError("`challenge: {type: slack}` answers signed requests; add `signature: {type: slack}`")
        if self.cloudevents == "require" and self.body != "auto":
            raise ValueError("`body` of a CloudEvent is what the event says; leave it out")
        return self

    @property
    def limits(self) -> list[RateLimit]:
        """Return the limits as a list."""
        return [self.rate_limit] if isinstance(self.rate_limit, RateLimit) else list(self.rate_limit)

    @property
    def answer(self) -> Respond:
        """Return what is answered, written out."""
        return self.respond if isinstance(self.respond, Respond) else Respond.model_validate({"when": self.respond})

    @property
    def answered_methods(self) -> list[str]:
        """Return the methods that the path answers, those of the verification among them."""
        more: list[str] = []
        if isinstance(self.challenge, HubChallenge | EchoChallenge):
            more = ["GET"]
        elif isinstance(self.challenge, CloudEventsChallenge):
            more = ["OPTIONS"]
        return sorted({*self.methods, *more})
