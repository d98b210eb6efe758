"""`http.webhook`: who gets in: signatures (by independent signers), callers, headers, limits, verification."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook as StandardWebhook

from hostd.errors.base import HostdError
from hostd.plugin.testing import FakeClock, FakeTriggerContext, running_trigger
from hostd_builtin.http.hook_options import RateLimit, WebhookOptions
from hostd_builtin.http.rate_limits import Buckets, enter
from hostd_builtin.http.webhook import Webhook

PATH = "/hooks/default/in"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = str(int(NOW.timestamp()))
BODY = b'{"n":  1}'
KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()


@asynccontextmanager
async def hook(**options: Any) -> AsyncIterator[FakeTriggerContext]:
    """A webhook that listens at 2026-01-01 00:00."""
    ctx = FakeTriggerContext(clock=FakeClock(NOW))
    async with running_trigger(Webhook, {"path": "in"} | options, ctx=ctx) as (running, task):
        assert not task.done(), task.exception()
        yield running


async def send(
    ctx: FakeTriggerContext, headers: dict[str, str] | None = None, *, body: bytes = BODY, **more: Any
) -> tuple[int, Any]:
    """Return status and reason (else the body) of a request."""
    method = more.pop("method", "POST")
    headers = {"content-type": "application/json"} | (headers or {})
    answer = await ctx.http.request(method, PATH, body=body, headers=headers, **more)
    try:
        value = json.loads(answer.body)
    except ValueError:
        value = answer.body
    return answer.status, value.get("reason", value) if isinstance(value, dict) else value


def mac(message: bytes, key: bytes = b"s3cret", algorithm: str = "sha256") -> bytes:
    """Return an HMAC."""
    return hmac.new(key, message, getattr(hashlib, algorithm)).digest()


SIGNED = {
    "hmac hex": ({"type": "hmac"}, {"x-signature": mac(BODY).hex()}),
    "hmac base64, prefix": (
        {"type": "hmac", "algorithm": "sha512", "encoding": "base64", "prefix": "v1=", "header": "X-Sig"},
        {"x-sig": "v1=" + base64.b64encode(mac(BODY, algorithm="sha512")).decode()},
    ),
    "hmac sha1": ({"type": "hmac", "algorithm": "sha1"}, {"x-signature": mac(BODY, algorithm="sha1").hex().upper()}),
    "hmac, timed": (
        {"type": "hmac", "timestamp_header": "x-time"},
        {"x-time": SECONDS, "x-signature": mac(SECONDS.encode() + b"." + BODY).hex()},
    ),
    "hmac, form": (
        {"type": "hmac", "timestamp_header": "x-time", "signed": "a:{timestamp}:{body}:z"},
        {"x-time": SECONDS, "x-signature": mac(b"a:" + SECONDS.encode() + b":" + BODY + b":z").hex()},
    ),
    "github": ({"type": "github"}, {"x-hub-signature-256": "sha256=" + mac(BODY).hex()}),
    "stripe": (
        {"type": "stripe"},
        {"stripe-signature": f"t={SECONDS},v1={'0' * 64},v1={mac(SECONDS.encode() + b'.' + BODY).hex()},v0=x"},
    ),
    "slack": (
        {"type": "slack"},
        {
            "x-slack-request-timestamp": SECONDS,
            "x-slack-signature": "v0=" + mac(b"v0:" + SECONDS.encode() + b":" + BODY).hex(),
        },
    ),
    "standard": (
        {"type": "standard", "secret": [OTHER, KEY]},
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": SECONDS,
            "webhook-signature": "v1a,xxxx "
            + StandardWebhook(KEY).sign("msg_1", NOW.replace(tzinfo=UTC), BODY.decode()),
        },
    ),
}


@pytest.mark.parametrize("name", SIGNED)
async def test_only_what_is_signed_gets_in(name: str) -> None:
    """The signed body is an event without its signature; another body, key, header or none at all is 401."""
    signature, headers = SIGNED[name]
    signature = {"secret": ["old", "s3cret"]} | signature
    async with hook(signature=signature) as ctx:
        status, answer = await send(ctx, headers)
        assert status == 202, answer
        shown: Any = ctx.emitted[0].extensions["http"]
        assert not any("signature" in header for header in shown["headers"])
        assert await send(ctx, headers, body=b'{"n": 1}') == (401, "SIGNATURE_REFUSED")
        assert await send(ctx, {}) == (401, "SIGNATURE_REFUSED")
        for header in headers:
            assert (await send(ctx, headers | {header: "x"}))[0] == 401
            assert (await send(ctx, headers | {header: "ä\udcff=,="}))[0] == 401
    async with hook(signature=signature | {"secret": OTHER}) as ctx:
        assert await send(ctx, headers) == (401, "SIGNATURE_REFUSED")
        assert ctx.emitted == []


@pytest.mark.parametrize("name", ["hmac, timed", "stripe", "slack", "standard"])
@pytest.mark.parametrize("off_s, status", [(300, 202), (301, 401), (-300, 202), (-301, 401)])
async def test_old_signatures_are_refused(name: str, off_s: int, status: int) -> None:
    """A replay past the tolerance (5 minutes), or from the future, is 401; a tolerance may be chosen."""
    signature, headers = SIGNED[name]
    signature = {"secret": "s3cret"} | signature
    async with hook(signature=signature) as ctx:
        ctx.clock.step_wall(timedelta(seconds=off_s))
        assert (await send(ctx, headers))[0] == status
    async with hook(signature=signature | {"tolerance": "1h"}) as ctx:
        ctx.clock.step_wall(timedelta(seconds=off_s))
        assert (await send(ctx, headers))[0] == 202


@settings(deadline=None)
@given(body=st.binary(max_size=200).map(lambda data: json.dumps(data.hex()).encode()), key=st.binary(min_size=1))
async def test_standard_webhooks_are_what_the_library_signs(body: bytes, key: bytes) -> None:
    """What the reference library signs gets in, and its id is the event's."""
    secret = "whsec_" + base64.b64encode(key).decode()
    sign = StandardWebhook(secret).sign("msg_2", NOW, body.decode())
    headers = {"webhook-id": "msg_2", "webhook-timestamp": SECONDS, "webhook-signature": sign}
    async with hook(signature={"type": "standard", "secret": secret}) as ctx:
        assert (await send(ctx, headers, body=body))[0] == 202
        assert ctx.emitted[0].id == "msg_2"


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a1"
    b"4d10d2c447fce8b6703c"
)
PUBLISHED: list[tuple[str, str, int, bytes, dict[str, str]]] = [
    (
        "github",
        "It's a Secret to Everybody",
        0,
        b"Hello, World!",
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    ),
    (
        "slack",
        "8f742231b10e8888abcd99yyyzzz85a5",
        1_531_420_618,
        SLACK_BODY,
        {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
    ),
    (
        "standard",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1_614_265_330,
        b'{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    ),
]


@pytest.mark.parametrize("kind, secret, at_s, body, headers", PUBLISHED, ids=[each[0] for each in PUBLISHED])
async def test_published_signatures(kind: str, secret: str, at_s: int, body: bytes, headers: dict[str, str]) -> None:
    """The examples in the documentation of GitHub, Slack and Standard Webhooks get in."""
    async with hook(signature={"type": kind, "secret": secret}, body="text") as ctx:
        ctx.clock.step_wall(datetime.fromtimestamp(at_s, UTC) - NOW)
        assert (await send(ctx, headers, body=body))[0] == 202
        assert (await send(ctx, headers, body=body + b" "))[0] == 401


PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
PUBLIC = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""The first key pair of RFC 8032, 7.1."""


async def test_standard_webhooks_are_verified_by_public_keys() -> None:
    """The specification's example, signed by a key of RFC 8032: only that key's signature of that body gets in."""
    [(_, _, at_s, body, headers)] = [each for each in PUBLISHED if each[0] == "standard"]
    signed = "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="
    by_key = headers | {"webhook-signature": signed}
    off = datetime.fromtimestamp(at_s, UTC) - NOW
    async with hook(signature={"type": "standard", "secret": PUBLIC}) as ctx:
        ctx.clock.step_wall(off)
        assert (await send(ctx, by_key, body=body))[0] == 202
        assert (await send(ctx, by_key | {"webhook-signature": f"v1,xx v1a,!! {signed}"}, body=body))[0] == 202
        for other in (
            headers,  # signed by the shared key alone
            by_key | {"webhook-id": "msg_other"},
            by_key | {"webhook-timestamp": str(at_s + 1)},
            by_key | {"webhook-signature": signed.replace("v1a", "v1")},
            by_key | {"webhook-signature": signed[:-8]},
            by_key | {"webhook-signature": " ".join(["v1a,eHh4"] * 4 + [signed])},  # past what is tried
        ):
            assert await send(ctx, other, body=body) == (401, "SIGNATURE_REFUSED")
        assert await send(ctx, by_key, body=body + b" ") == (401, "SIGNATURE_REFUSED")
        ctx.clock.step_wall(timedelta(seconds=301))
        assert await send(ctx, by_key, body=body) == (401, "SIGNATURE_REFUSED")


async def test_shared_and_public_keys_stand_side_by_side() -> None:
    """While a sender changes from one kind to the other, either signature will do."""
    message = b"msg_1." + SECONDS.encode() + b"." + BODY
    headers = {"webhook-id": "msg_1", "webhook-timestamp": SECONDS}
    by_key = "v1a," + base64.b64encode(PRIVATE.sign(message)).decode()
    by_secret = StandardWebhook(KEY).sign("msg_1", NOW, BODY.decode())
    async with hook(signature={"type": "standard", "secret": [KEY, PUBLIC]}) as ctx:
        for given, status in ((by_key, 202), (by_secret, 202), (f"{by_secret} {by_key}", 202), ("v1a,eHh4", 401)):
            assert (await send(ctx, headers | {"webhook-signature": given}))[0] == status


async def test_without_the_package_a_public_key_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger fails with the extra's name; shared keys go without."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    async with hook(signature={"type": "standard", "secret": KEY}):
        pass
    with pytest.raises(HostdError, match=r"PLUGIN_FAILED: .*hostd\[webhooks\]"):
        async with hook(signature={"type": "standard", "secret": PUBLIC}):
            pass


def test_secrets_are_opaque() -> None:
    """No representation of the options shows a key."""
    options = WebhookOptions.model_validate(
        {
            "path": "x",
            "signature": {"type": "github", "secret": "hunter2"},
            "auth": {"type": "bearer", "token": ["hunter2"]},
            "challenge": {"type": "hub", "verify_token": "hunter2"},
        }
    )
    assert "hunter2" not in repr(options) + str(options)


BASIC = base64.b64encode("ada:p:ä".encode()).decode()
CALLERS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"type": "basic", "username": "ada", "password": "p:ä"}, {"authorization": f"Basic {BASIC}"}, "authorization"),
    ({"type": "bearer", "token": ["a", "b"]}, {"authorization": "bearer b"}, "authorization"),
    ({"type": "api_key", "key": "k"}, {"x-api-key": "k"}, "x-api-key"),
    ({"type": "api_key", "key": "k", "header": "X-Mine"}, {"x-mine": "k"}, "x-mine"),
]


@pytest.mark.parametrize("auth, headers, name", CALLERS)
async def test_only_known_callers_get_in(auth: dict[str, Any], headers: dict[str, str], name: str) -> None:
    """Right credentials make an event that does not hold them; wrong, malformed or missing ones are 401."""
    async with hook(auth=auth) as ctx:
        assert (await send(ctx, headers))[0] == 202
        shown: Any = ctx.emitted[0].extensions["http"]
        assert name not in shown["headers"]
        for wrong in ("", "x", "Basic", "Basic !", "Basic " + "eA==", "Bearer", "Bearer ", "Bearer c", "ä\udcff"):
            assert await send(ctx, {name: wrong}) == (401, "CREDENTIALS_REFUSED")
        assert await send(ctx) == (401, "CREDENTIALS_REFUSED")
        answer = await ctx.http.request("POST", PATH)
        assert answer.headers.get("www-authenticate", "").lower().startswith(auth["type"]) or name != "authorization"


async def test_a_key_in_the_query_stays_out_of_events() -> None:
    """It is taken there, and only there."""
    async with hook(auth={"type": "api_key", "key": "k", "query": "token"}) as ctx:
        assert (await send(ctx, query={"token": "k", "a": "1"}))[0] == 202
        assert (await send(ctx, {"x-api-key": "k"}))[0] == 401
        shown: Any = ctx.emitted[0].extensions["http"]
        assert shown["query"] == {"a": "1"}


async def test_rules_for_headers() -> None:
    """A value, one of several, a pattern in linear time, or only being there; an optional one may be missing."""
    rules = {
        "X-One": "a",
        "x-two": {"equals": ["a", "b"]},
        "x-three": {"pattern": "(a+)+"},
        "x-four": {},
        "x-five": {"required": False, "equals": "a"},
    }
    good = {"x-one": "a", "x-two": "b", "x-three": "aaa", "x-four": ""}
    async with hook(headers=rules) as ctx:
        assert (await send(ctx, good))[0] == 202
        assert (await send(ctx, good | {"x-five": "a"}))[0] == 202
        for bad in ({"x-one": "A"}, {"x-two": "c"}, {"x-three": "a" * 5_000 + "!"}, {"x-five": "b"}):
            assert await send(ctx, good | bad) == (400, "HEADER_REFUSED")
        assert await send(ctx, {name: text for name, text in good.items() if name != "x-four"}) == (
            400,
            "HEADER_REFUSED",
        )


async def test_limits_by_sender_and_for_all() -> None:
    """Past a bucket: 429 with the time to come again; tokens come back; a refused request takes none of the others."""
    limits = [
        {"count": 3, "per": "1m"},
        {"count": 2, "per": "1s", "by": "remote"},
        {"count": 1, "burst": 2, "per": "10s", "by": "header:X-Tenant"},
    ]
    async with hook(rate_limit=limits) as ctx:
        for remote, tenant, status in [("1.1.1.1", "a", 202), ("1.1.1.1", "a", 202), ("1.1.1.1", "b", 429)]:
            assert (await send(ctx, {"x-tenant": tenant}, remote=remote))[0] == status
        answer = await ctx.http.request("POST", PATH, headers={"x-tenant": "a"}, remote="2.2.2.2")
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert (await send(ctx, {"x-tenant": "b"}, remote="2.2.2.2"))[0] == 202
        await ctx.clock.advance(10)
        answer = await ctx.http.request("POST", PATH, remote="3.3.3.3")
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        await ctx.clock.advance(10)
        assert (await send(ctx, remote="3.3.3.3"))[0] == 202
        assert len(ctx.emitted) == 4


async def test_strangers_cannot_use_up_the_limit_of_those_who_may() -> None:
    """The bucket for all counts only requests that passed authentication; the one by sender counts every request."""
    limits = [{"count": 1, "per": "1h"}, {"count": 3, "per": "1h", "by": "remote"}]
    async with hook(auth={"type": "bearer", "token": "t"}, rate_limit=limits) as ctx:
        assert [(await send(ctx, remote="6.6.6.6"))[0] for _ in range(4)] == [401, 401, 401, 429]
        assert (await send(ctx, {"authorization": "Bearer t"}))[0] == 202


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3, allow_nan=False)), max_size=200),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_buckets_are_bounded(steps: list[tuple[int, float]], count: int, kept: int) -> None:
    """No sender gets more than burst plus what came back, and no more buckets are kept than said."""
    buckets = Buckets(RateLimit.model_validate({"count": count, "per": "1s", "by": "remote", "buckets_max": kept}))
    now_s, taken = 0.0, 0
    for key, wait_s in steps:
        now_s += wait_s
        left_s = enter([(buckets, str(key))], now_s)
        assert left_s <= 1 / count + 1e-9
        taken += key == 0 and left_s == 0
        assert len(buckets) <= kept
    if kept == 5 and len({key for key, _ in steps}) <= 5:
        assert taken <= count + now_s * count + 1e-6


async def test_verification_of_the_address() -> None:
    """Hub, echo, Slack and CloudEvents handshakes are answered as they ask, and make no event."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "abc", "hub.verify_token": "v"}
    async with hook(challenge={"type": "hub", "verify_token": "v"}) as ctx:
        answer = await ctx.http.request("GET", PATH, query=asked)
        assert (answer.status, answer.body, answer.headers["content-type"][:10]) == (200, b"abc", "text/plain")
        assert (await send(ctx, method="GET", query=asked | {"hub.verify_token": "w"}))[0] == 403
        assert (await send(ctx, method="GET", query=asked | {"hub.mode": "unsubscribe"}))[0] == 404
        assert (await send(ctx, method="GET", query=asked | {"hub.challenge": "x" * 5_000}))[0] == 400
        assert (await send(ctx, method="GET"))[0] == 400
        assert ctx.emitted == []
        assert (await send(ctx))[0] == 202
    async with hook(challenge={"type": "echo"}, methods=["GET", "POST"]) as ctx:
        assert await send(ctx, method="GET", query={"challenge": "<b>"}) == (200, b"<b>")
        assert ctx.emitted == []
        assert (await send(ctx, method="GET"))[0] == 202
    async with hook(challenge={"type": "cloudevents", "origins": ["a.example"]}) as ctx:
        for origin, status in (("a.example", 200), ("b.example", 403), ("", 400)):
            answer = await ctx.http.request("OPTIONS", PATH, headers={"webhook-request-origin": origin})
            assert (answer.status, answer.headers.get("webhook-allowed-origin")) == (
                status,
                origin if status == 200 else None,
            )
        assert ctx.emitted == []


async def test_slack_verifies_with_a_signed_post() -> None:
    """Only a signed one is answered; without a signature the option is refused."""
    body = b'{"type": "url_verification", "challenge": "xyz"}'
    sign = "v0=" + mac(b"v0:" + SECONDS.encode() + b":" + body).hex()
    headers = {"x-slack-request-timestamp": SECONDS, "x-slack-signature": sign}
    async with hook(signature={"type": "slack", "secret": "s3cret"}, challenge={"type": "slack"}) as ctx:
        assert await send(ctx, headers, body=body) == (200, b"xyz")
        assert (await send(ctx, body=body))[0] == 401
        assert ctx.emitted == []
    with pytest.raises(ValidationError, match="signature"):
        WebhookOptions.model_validate({"path": "x", "challenge": {"type": "slack"}})


@pytest.mark.parametrize(
    "options",
    [
        {"path": "a/{b}/{b}"},
        {"path": "a/../b"},
        {"methods": []},
        {"methods": ["HEAD"]},
        {"headers": {"x": {"pattern": "("}}},
        {"headers": {"a b": "c"}},
        {"schema": {"type": "nonsense"}},
        {"schema": {"$ref": "http://x.example/s"}},
        {"signature": {"type": "github", "secret": ""}},
        {"signature": {"type": "github", "secret": []}},
        {"signature": {"type": "standard", "secret": "whsec_"}},
        {"signature": {"type": "standard", "secret": "whpk_"}},
        {"signature": {"type": "standard", "secret": [KEY, "whpk_" + KEY[6:]]}},
        {"signature": {"type": "standard", "secret": "whsk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}},
        {"signature": {"type": "hmac", "secret": "k", "signed": "{timestamp}.{body}"}},
        {"signature": {"type": "hmac", "secret": "k", "timestamp_header": "t", "signed": "{body}"}},
        {"signature": {"type": "hmac", "secret": "k", "signed": "x"}},
        {"rate_limit": {"count": 0}},
        {"rate_limit": {"count": 1, "by": "moon"}},
        {"respond": {"when": "wait", "status": 200}},
        {"respond": {"when": "now", "output": "response"}},
        {"respond": {"headers": {"a": "b\r\nc: d"}}},
        {"respond": {"when": "wait", "timeout": "1h"}},
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """Refused when the workflow is registered, not when a request comes."""
    with pytest.raises(ValidationError):
        WebhookOptions.model_validate({"path": "x"} | options)
