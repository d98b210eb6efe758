"""`http.request`: OAuth 2 tokens and answers in pages, against real servers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from http_kit import failure, fetch, provisioned, serving

from hostd.plugin import ActionError
from hostd.plugin.testing import FakeActionContext
from hostd_builtin.http.options import RequestOptions


class Issuer:
    """Gives tokens and serves what they open."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], str]] = []
        self.good: set[str] = set()
        self.answer: Any = None
        self.life: Any = 3_600
        self.status = 200

    async def token(self, request: web.Request) -> web.StreamResponse:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((fields, request.headers.get("authorization", "")))
        await asyncio.sleep(0.01)
        if self.status != 200:
            return web.json_response({"error": "invalid_client"}, status=self.status, headers={"retry-after": "7"})
        value = f"token-{len(self.asked)}"
        self.good.add(value)
        more = {} if self.life is None else {"expires_in": self.life}
        return web.json_response(self.answer or {"access_token": value, "token_type": "bearer", **more})

    async def data(self, request: web.Request) -> web.StreamResponse:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or value not in self.good:
            return web.Response(status=401)
        return web.json_response({"token": value})


def oauth(base: str, **more: Any) -> dict[str, Any]:
    """Return options of a request with a token."""
    auth = {"type": "oauth2", "token_url": f"{base}/token", "client_id": "me:ä", "client_secret": "s&cret"}
    return {"url": f"{base}/data", "auth": auth | more}


async def get(action: Any, options: dict[str, Any], ctx: FakeActionContext | None = None) -> Any:
    """Return the output of an attempt of an action that lives on."""
    return await action.run(ctx or FakeActionContext(), RequestOptions.model_validate(options))


async def test_a_token_is_fetched_once_and_kept() -> None:
    """Many attempts at once ask for one token; it is renewed before it ends; other settings have one of their own."""
    issuer, ctx = Issuer(), FakeActionContext()
    async with serving(token=issuer.token, data=issuer.data) as base, provisioned() as action:
        options = oauth(base, scope="a b", audience="x", parameters={"resource": "r"})
        outputs = await asyncio.gather(*(get(action, options, ctx) for _ in range(20)))
        assert {output["body"]["token"] for output in outputs} == {"token-1"}
        (fields, header) = issuer.asked[0]
        assert fields == {"grant_type": "client_credentials", "scope": "a b", "audience": "x", "resource": "r"}
        assert base64.b64decode(header.removeprefix("Basic ")).decode() == "me%3A%C3%A4:s%26cret"
        await ctx.clock.advance(3_600 - 61)
        assert (await get(action, options, ctx))["body"]["token"] == "token-1"
        await ctx.clock.advance(2)
        assert (await get(action, options, ctx))["body"]["token"] == "token-2"
        in_body = await get(action, oauth(base, client_auth="body"), ctx)
        assert in_body["body"]["token"] == "token-3"
        assert issuer.asked[2][0]["client_secret"] == "s&cret"
        other = FakeActionContext(namespace="other", clock=ctx.clock)
        assert (await get(action, options, other))["body"]["token"] == "token-4"


async def test_a_refused_token_is_replaced_once() -> None:
    """A 401 asks for one new token, shared by all who got the old one; a second 401 is the step's failure."""
    issuer = Issuer()
    async with serving(token=issuer.token, data=issuer.data) as base, provisioned() as action:
        await get(action, oauth(base))
        issuer.good.clear()
        await asyncio.gather(*(get(action, oauth(base)) for _ in range(10)))
        assert len(issuer.asked) == 2
        issuer.answer = {"access_token": "never good"}
        issuer.good.clear()
        with pytest.raises(ActionError) as caught:
            await get(action, oauth(base))
        assert (caught.value.code, caught.value.retryable, len(issuer.asked)) == ("HTTP_401", False, 3)


@pytest.mark.parametrize(
    "status, answer, code, retryable",
    [
        (401, None, "OAUTH_REFUSED", False),
        (503, None, "OAUTH_UNAVAILABLE", True),
        (302, None, "OAUTH_REFUSED", False),
        (200, {"access_token": 7}, "OAUTH_REFUSED", False),
        (200, {"access_token": "a\nb"}, "OAUTH_REFUSED", False),
        (200, {"access_token": "a", "token_type": "mac"}, "OAUTH_REFUSED", False),
        (200, ["x"], "OAUTH_REFUSED", False),
    ],
)
async def test_no_token(status: int, answer: Any, code: str, retryable: bool) -> None:
    """Settings that are refused fail for good, a giver that is down may be asked again; all who wait share it."""
    issuer = Issuer()
    issuer.status, issuer.answer = status, answer
    async with serving(token=issuer.token, data=issuer.data) as base, provisioned() as action:
        tries = await asyncio.gather(*(get(action, oauth(base)) for _ in range(5)), return_exceptions=True)
        errors = [each for each in tries if isinstance(each, ActionError)]
        assert {(each.code, each.retryable) for each in errors} == {(code, retryable)}
        assert len(errors) == 5
        assert len(issuer.asked) == 1
        assert "s&cret" not in str(errors[0])
        assert errors[0].retry_after_s == (7.0 if status != 200 else None)
        issuer.status, issuer.answer = 200, None
        assert (await get(action, oauth(base)))["status"] == 200


async def test_whoever_fetches_a_token_may_be_canceled() -> None:
    """Those who waited for it go on and fetch it themselves."""
    issuer = Issuer()
    async with serving(token=issuer.token, data=issuer.data) as base, provisioned() as action:
        first, *others = [asyncio.ensure_future(get(action, oauth(base))) for _ in range(5)]
        while not issuer.asked:
            await asyncio.sleep(0.001)
        first.cancel()
        assert {output["body"]["token"] for output in await asyncio.gather(*others)} == {"token-2"}
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_token_address_is_guarded_too() -> None:
    """A private one is refused like any other address, and the token never goes to another host."""
    issuer = Issuer()
    async with serving(token=issuer.token) as inside, serving(data=issuer.data) as outside:
        options = oauth(outside, token_url=f"{inside.replace('127.0.0.1', '127.0.0.2')}/token")
        error = await failure(options, settings={"allow": ["127.0.0.1"]})
        assert (error.code, issuer.asked) == ("ADDRESS_DENIED", [])


# -- pages

ITEMS = list(range(25))


async def pages(request: web.Request) -> web.StreamResponse:
    """Serve 25 items, ten a page, in whichever way is asked for."""
    query = request.rel_url.query
    way = query["way"]
    size = int(query.get("limit", 10))
    begin = int(query.get("offset", 0)) if way == "offset" else 10 * (int(query.get("page", 1)) - 1)
    begin = int(query.get("cursor", begin))
    items: Any = ITEMS[begin : begin + size]
    more = begin + size < len(ITEMS)
    following = request.rel_url.update_query({"cursor": str(begin + size)})
    if way == "link":
        headers = {"link": f'<{following}>; rel="next", </x>; rel="last"'} if more else {}
        return web.json_response(items, headers=headers)
    if way == "next":
        return web.json_response({"next": str(following) if more else None, "data": {"items": items}})
    if way == "cursor":
        return web.json_response({"meta": {"cursor": begin + size if more else ""}, "data": {"items": items}})
    return web.json_response(items)


@pytest.mark.parametrize(
    "way, paginate, asked",
    [
        ("link", {}, 3),
        ("next", {"items": "data.items"}, 3),
        ("cursor", {"items": "data.items", "path": "meta.cursor"}, 3),
        ("page", {}, 4),
        ("page", {"size": 10, "size_parameter": "limit"}, 3),
        ("offset", {"size": 5}, 6),
    ],
)
async def test_every_page_is_asked_for(way: str, paginate: dict[str, Any], asked: int) -> None:
    """All items in order; the output says how many pages there were and that it is all."""
    ctx = FakeActionContext()
    async with serving(list=pages) as base:
        options = {"url": f"{base}/list", "query": {"way": way}, "paginate": {"type": way} | paginate}
        output = await fetch(options, ctx=ctx)
    assert (output["body"], output["pages"], output["complete"]) == (ITEMS, asked, True)
    assert ctx.beats[-1] == {"pages": asked}


@pytest.mark.parametrize(
    "bound, items, complete",
    [({"max_pages": 2}, 20, False), ({"max_items": 12}, 12, False), ({"max_items": 25}, 25, True)],
)
async def test_pages_are_bounded(bound: dict[str, int], items: int, complete: bool) -> None:
    """So many pages, so many items; the output says that there would have been more."""
    async with serving(list=pages) as base:
        output = await fetch({"url": f"{base}/list?way=link", "paginate": {"type": "link"} | bound})
    assert (len(output["body"]), output["complete"]) == (items, complete)


async def test_all_pages_share_one_bound_of_bytes() -> None:
    """Pages that are small each and large together fail as one large answer does."""
    async with serving(list=pages) as base:
        options = {"url": f"{base}/list?way=link", "paginate": {"type": "link"}, "max_response_bytes": 80}
        error = await failure(options)
    assert error.code == "RESPONSE_TOO_LARGE"
    assert "80 bytes" in error.message


async def test_pages_that_go_wrong() -> None:
    """A circle, and a page without a list, fail; a next page on another host is asked for without credentials."""
    seen: list[dict[str, str]] = []

    async def circle(request: web.Request) -> web.Response:
        return web.json_response([1], headers={"link": '</circle?a=1>; rel="next"'})

    async def odd(request: web.Request) -> web.Response:
        return web.json_response({"items": "x"})

    async def last(request: web.Request) -> web.Response:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        return web.json_response([2])

    async with serving(circle=circle, odd=odd) as base, serving(last=last) as other:

        async def away(request: web.Request) -> web.Response:
            return web.json_response([1], headers={"link": f'<{other}/last>; rel="next"'})

        async with serving(away=away) as third:
            paginate = {"type": "link"}
            assert (await failure({"url": f"{base}/circle", "paginate": paginate})).code == "PAGES_CIRCULAR"
            assert (
                await failure({"url": f"{base}/odd", "paginate": paginate | {"items": "items"}})
            ).code == "PAGE_INVALID"
            key = {"type": "api_key", "key": "k", "query": "key"}
            output = await fetch({"url": f"{third}/away", "paginate": paginate, "auth": key, "headers": {"x-own": "1"}})
            assert output["body"] == [1, 2]
            assert "x-own" not in seen[0]
            assert "key" not in output["url"]


async def test_a_key_goes_into_header_or_query() -> None:
    """Where it is said, for that host only."""
    asked: Counter[str] = Counter()

    async def echo(request: web.Request) -> web.Response:
        asked[request.rel_url.query_string + "|" + request.headers.get("x-mine", "")] += 1
        return web.Response(text=json.dumps(None))

    async with serving(echo=echo) as base:
        await fetch({"url": f"{base}/echo", "auth": {"type": "api_key", "key": "k&", "header": "X-Mine"}})
        await fetch({"url": f"{base}/echo?a=1", "auth": {"type": "api_key", "key": "k&", "query": "token"}})
    assert asked == {"|k&": 1, "a=1&token=k%26|": 1}
