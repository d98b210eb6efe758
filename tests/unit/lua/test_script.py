"""What a script sees, returns and raises, through the real pool."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from lua_scripts import EchoHost, failure, run, value

from hostd.lua.call import FailureReason, ScriptCall
from hostd.lua.limits import ScriptLimits
from hostd.lua.script import LuaPool, run_alone

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[LuaPool]:
    pool = LuaPool()
    await pool.start()
    yield pool
    await pool.close()


async def test_a_script_sees_its_input_context_and_time(pool: LuaPool) -> None:
    """Input also comes as the chunk's argument; time is the step's and stands still; dates are UTC."""
    source = """
        local given = ...
        return {
          given == input, input.a[2], ctx.step, ctx.attempt, os.time(), time.now_ms(), time.format(), os.date("%H:%M"),
        }
    """
    seen = await value(
        pool, source, input=b'{"a":[1,"two"]}', ctx={"step": "fetch", "attempt": 2}, time_ms=1_700_000_000_123
    )
    assert seen == [True, "two", "fetch", 2, 1_700_000_000, 1_700_000_000_123, "2023-11-14T22:13:20.123Z", "22:13"]


@pytest.mark.parametrize(
    "source, expected",
    [
        ("return nil", None),
        ("return", None),
        ("return json.null", None),
        ("return {}", {}),
        ("return json.array{}", []),
        ("return {1, json.null, 3}", [1, None, 3]),
        ("return {a = json.null}", {"a": None}),
        ("return input.missing == nil and input.null == json.null and input.null ~= nil", True),
        ("return 1, 2", 1),
        ('return "h\\u{e9}\\n\\0"', "hé\n\0"),
        ("return json.decode(json.encode({b = {1, 2.5}, a = true}))", {"a": True, "b": [1, 2.5]}),
        ("return input.empty", []),
        ("table.insert(input.empty, 1) return input.empty", [1]),
    ],
)
async def test_values_leave_as_json(pool: LuaPool, source: str, expected: Any) -> None:
    """Nil and json.null are null, empty tables are objects unless marked, and decoded values go back as they came."""
    assert await value(pool, source, input=b'{"null":null,"empty":[]}') == expected


async def test_a_null_field_of_the_input_is_json_null(pool: LuaPool) -> None:
    """A field that is null is there (json.null, which is true in a condition); one that is missing is nil."""
    source = """
        local n = 0
        for k in pairs(input) do n = n + 1 end
        return {n, input.a == json.null, input.b == nil, not not input.a}
    """
    assert await value(pool, source, input=b'{"a":null}') == [1, True, True, True]


@pytest.mark.parametrize(
    "number, expected",
    [
        ("3.0", "3"),
        ("-0.0", "0"),
        ("2^53", "9007199254740992"),
        ("2^53 + 2", "9.0071992547409940e+15"),
        ("0.1", "0.1"),
        ("1/3", "0.3333333333333333"),
        ("1e300", "1.0000000000000001e+300"),
        ("math.mininteger", "-9223372036854775808"),
        ("10 // 3", "3"),
        ("10 / 5", "2"),
    ],
)
async def test_numbers_leave_under_the_one_rule(pool: LuaPool, number: str, expected: str) -> None:
    """An integral float within 2^53 is that integer, larger ones carry an exponent, integers are 64-bit."""
    result = await run(pool, f"return {number}")
    assert result.output is not None
    text = result.output.decode()
    assert json.loads(text) == json.loads(expected)
    assert ("e" in text) == ("e" in expected)
    assert ("." in text) == ("." in expected)


@pytest.mark.parametrize("number", ["0/0", "1/0", "-1/0", "math.huge"])
async def test_numbers_that_are_none_are_errors(pool: LuaPool, number: str) -> None:
    """NaN and infinities never leave a script."""
    assert "NaN and infinities" in (await failure(pool, f"return {{x = {number}}}")).message


@pytest.mark.parametrize(
    "text, kind",
    [
        ("1.0", "integer"),
        ("9007199254740993.0", "integer"),
        ("1e2", "integer"),
        ("1.5", "float"),
        ("1e16", "float"),
        ("7", "integer"),
    ],
)
async def test_numbers_enter_under_the_one_rule(pool: LuaPool, text: str, kind: str) -> None:
    """The same rule holds for the input and for json.decode."""
    assert await value(
        pool, "return {math.type(input), math.type(json.decode(ctx.text))}", input=text.encode(), ctx={"text": text}
    ) == [kind, kind]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        '{"a":1,"a":2}',
        "01",
        "1.",
        "nul",
        "9223372036854775808",
        "1e400",
        '"\\ud800"',
        '"\x01"',
        "[" * 65 + "]" * 65,
        "1 2",
        "'a'",
    ],
)
async def test_malformed_json_is_an_error_with_its_place(pool: LuaPool, text: str) -> None:
    """json.decode accepts what hostd accepts and nothing else; a script can catch the error."""
    caught = await value(pool, "local ok, e = pcall(json.decode, ctx.text) return {ok, e}", ctx={"text": text})
    assert caught[0] is False
    assert caught[1].startswith("json: ")


async def test_pairs_visits_integers_then_strings_then_booleans(pool: LuaPool) -> None:
    """The order does not depend on how the table was filled, and a key removed on the way is not visited."""
    source = """
        local t = {[true]=1, zz=1, a=1, B=1, [10]=1, [-3]=1, [2]=1, [1]=1, [false]=1, ["é"]=1}
        local seen = {}
        for k in pairs(t) do seen[#seen + 1] = tostring(k); t.zz = nil end
        return table.concat(seen, " ")
    """
    assert await value(pool, source) == "-3 1 2 10 B a é false true"


@pytest.mark.parametrize("key", ["1.5", "{}", "print", "coroutine.create(print)"])
async def test_keys_without_an_order_are_an_error(pool: LuaPool, key: str) -> None:
    """pairs refuses a key that no two processes would place alike, and says which."""
    assert "has no order" in (await failure(pool, f"for k in pairs({{[{key}] = 1}}) do end")).message


async def test_next_only_says_whether_a_table_is_empty(pool: LuaPool) -> None:
    """The idiom for an empty table works; walking with next is refused with the way to do it."""
    assert await value(pool, "return {next({}) == nil, next({1}) == nil, next({a = 1}) and true}") == [
        True,
        False,
        True,
    ]
    refused = await failure(pool, "for k, v in next, {a = 1} do end")
    assert "use pairs" in refused.message
    assert refused.line == 1


async def test_sort_is_stable(pool: LuaPool) -> None:
    """Equal items keep their order, with and without a comparison, at every length around a power of two."""
    source = """
        for n = 0, 70 do
          local t = {}
          for i = 1, n do t[i] = {key = (i * 7) % 5, at = i} end
          table.sort(t, function(a, b) return a.key < b.key end)
          for i = 2, n do
            local a, b = t[i - 1], t[i]
            if a.key > b.key or (a.key == b.key and a.at > b.at) then return "n=" .. n end
          end
        end
        local words = {"b", "a", "c", "a"}
        table.sort(words)
        return table.concat(words)
    """
    assert await value(pool, source) == "aabc"


async def test_random_numbers_follow_the_seed(pool: LuaPool) -> None:
    """The same seed gives the same numbers, another one others; reseeding without arguments starts over."""
    source = "local a = math.random(1 << 40) math.randomseed() return {a, math.random(1 << 40), math.random(1 << 40)}"
    first, again = [await value(pool, source, seed=b"0123456789abcdef") for _ in range(2)]
    other = await value(pool, source, seed=b"another seed")
    assert first == again
    assert first != other
    assert first[0] == first[1]


async def test_what_a_script_must_not_have_is_absent(pool: LuaPool) -> None:
    """No clock, no loading of code, no input and output, nothing of Python."""
    names = (
        "os.clock io debug package require load loadstring dofile loadfile collectgarbage python string.dump "
        "string.pack coroutine.close warn"
    )
    source = """
        local absent = {}
        for name in ctx.names:gmatch("%S+") do
          local v = _G
          for part in name:gmatch("[^.]+") do v = v and v[part] end
          absent[#absent + 1] = v == nil
        end
        return absent
    """
    assert await value(pool, source, ctx={"names": names}) == [True] * len(names.split())


@pytest.mark.parametrize(
    "source, code, message, retryable, line",
    [
        ('\nerror("no stock")', "", "script:2: no stock", True, 2),
        ('error("plain", 0)', "", "plain", True, 0),
        ('error{code="NO_STOCK", message="none left", retryable=false}', "NO_STOCK", "none left", False, 0),
        ('error{code="BUSY", message="later", retryable=true}', "BUSY", "later", True, 0),
        ("error{}", "", "the script raised a table without a message", True, 0),
        ("error()", "", "nil", True, 0),
        ("local t = nil\nreturn t.x", "", "script:2: attempt to index a nil value (local 't')", True, 2),
        (
            'error(setmetatable({}, {__index = function() return "code" end}))',
            "",
            "the script raised a table without a message",
            True,
            0,
        ),
        ("return print", "", "json: a function is not a JSON value", True, 0),
        ("local t = {} t.t = t return t", "", "json: nested deeper than 64 (or a table holds itself)", True, 0),
        ("return {1, 2, x = 3}", "", "json: a table mixes array and object keys, or its array has holes", True, 0),
        ("return {[3] = 1}", "", "json: a table mixes array and object keys, or its array has holes", True, 0),
    ],
)
async def test_errors_carry_what_the_script_gave(
    pool: LuaPool, source: str, code: str, message: str, retryable: bool, line: int
) -> None:
    """Text, code, retryable and line come through, read raw."""
    found = await failure(pool, source)
    assert (found.reason, found.code, found.message, found.retryable, found.line) == (
        FailureReason.SCRIPT_ERROR, code, message, retryable, line,
    )  # fmt: skip


@pytest.mark.parametrize(
    "source, line",
    [("return 1 +", 1), ("x = 1\ny = = 2", 2), ("\x1bLua", 1), ("if true then\n\n", 3), ("return '\udc80'", 1)],
)
async def test_sources_that_do_not_compile_are_named_with_their_line(pool: LuaPool, source: str, line: int) -> None:
    """Running and validating give the same answer, and validating a good source gives none."""
    ran, checked = await failure(pool, source), await pool.validate(source)
    assert ran == checked
    assert (ran.reason, ran.line, ran.retryable) == (FailureReason.SCRIPT_INVALID, line, False)
    assert await pool.validate("return 1") is None


async def test_log_lines_arrive_in_order_with_their_level(pool: LuaPool) -> None:
    """print, log and its levels are one stream; tables show as JSON; lines before a failure are kept."""
    source = """
        print("a", 1, nil) log("b") log.warn({x = {1}})
        host.call("echo", 1)
        log.error("c") log.debug(print) log.warning("d") error("end")
    """
    result = await run(pool, source)
    assert result.logs == (
        ("info", "a\t1\tnil"),
        ("info", "b"),
        ("warn", '{"x":[1]}'),
        ("error", "c"),
        ("debug", "function"),
        ("warn", "d"),
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("log.warn_('x')", "(field 'warn_'); `log` has debug, error, info, warn, warning"),
        ("log[1] = 2; log.x = print; json.parse('1')", "(field 'parse'); `json` has array, decode, encode, null"),
        ("local k = kv; k.set{}", "(field 'set'); `kv` has add, delete, get, list, put"),
        ("if log.trace or json.lines then error('no') end; error('fine')", "fine"),
        ("local t = {}; t.warn_()", "(field 'warn_')"),
        ("local _ = log.warn_; error('own')", "own"),
    ],
)
async def test_a_name_that_a_table_of_ours_lacks_is_told_with_those_it_has(
    pool: LuaPool, source: str, told: str
) -> None:
    """Looking for it is nil, as ever; calling it fails with the names that there are."""
    failed = await failure(pool, source)
    assert failed.message.endswith(told)


async def test_host_calls_go_out_and_their_replies_come_back(pool: LuaPool) -> None:
    """Arguments and replies are values; calls work inside pcall, coroutines, generators and a sort's comparison."""
    source = """
        local each = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(host.call("echo", i)) end end)
        local out = {host.call("echo", {a = 1}).a, select(2, pcall(host.call, "echo", "x"))}
        out[3] = host.call("echo") == json.null
        for v in each do out[#out + 1] = v end
        table.sort(out, function(a, b) return host.call("echo", tostring(a)) < host.call("echo", tostring(b)) end)
        return out
    """
    host = EchoHost()
    result = await run(pool, source, host=host)
    assert result.output == b'[1,1,2,3,true,"x"]'
    assert host.calls[0] == ("echo", {"a": 1})
    assert result.usage.host_calls == len(host.calls)


async def test_http_request_is_sugar_for_a_host_call(pool: LuaPool) -> None:
    """http.request{...} is host.call("http.request", {...})."""
    host = EchoHost()
    assert json.loads((await run(pool, 'return http.request{url = "https://x"}', host=host)).output or b"") == {
        "url": "https://x"
    }
    assert host.calls == [("http.request", {"url": "https://x"})]


async def test_a_capability_that_was_not_granted_is_an_error_the_script_can_catch(pool: LuaPool) -> None:
    """The daemon refuses before anybody is asked; uncaught, the step fails with the code."""
    host = EchoHost()
    caught = await run(pool, 'return {pcall(host.call, "echo", 1)}', host=host, capabilities=frozenset())
    assert b"CAPABILITY_DENIED" in (caught.output or b"")
    uncaught = await failure(pool, 'host.call("http.request", {})', host=host, capabilities=frozenset({"echo"}))
    assert (uncaught.reason, uncaught.code, uncaught.retryable, uncaught.line) == (
        FailureReason.SCRIPT_ERROR,
        "CAPABILITY_DENIED",
        False,
        1,
    )
    assert host.calls == []


async def test_an_uncaught_error_of_the_host_keeps_its_code(pool: LuaPool) -> None:
    """Code and retryable of the failing call become the step's, unless the script handles the error."""
    source = 'host.call("fail", {code = "HTTP_503", message = "try later", retryable = true})'
    found = await failure(pool, source)
    assert (found.code, found.retryable, found.message) == ("HTTP_503", True, "script:1: HTTP_503: try later")
    other = await failure(pool, f"pcall(function() {source} end) error('mine')")
    assert other.code == ""


@pytest.mark.parametrize(
    "source, limit, limits",
    [
        ("while true do end", "cpu", {"cpu_ms": 50}),
        ("while true do pcall(function() while true do end end) end", "cpu", {"cpu_ms": 50}),
        ("local t = {} while true do t[#t + 1] = {} end", "memory", {"memory_bytes": 4 << 20}),
        ("T = {} while 1 do pcall(function() while 1 do T[#T+1]={} end end) end", "memory", {"memory_bytes": 4 << 20}),
        ("return ('x'):rep(2000)", "output", {"output_bytes": 1000}),
        ("host.call('echo', ('x'):rep(2000))", "output", {"output_bytes": 1000}),
        ("host.call('big', 2000)", "reply", {"reply_bytes": 1000}),
        ("return 1 --" + "x" * 100, "source", {"source_bytes": 100}),
        ("return #('x'):rep(2000)", "string", {"string_bytes": 1024}),
        ("for i = 1, 11 do coroutine.create(print) end", "coroutines", {"coroutines": 10}),
        ("for i = 1, 4 do pcall(host.call, 'echo', i) end", "host_calls", {"host_calls": 3}),
        ("while true do pcall(log.info, 'line') end", "log", {"log_bytes": 1000}),
        ("table.move({}, 1, 1 << 40, 2)", "table", {}),
        ("return (('a'):rep(40)):find(('a*'):rep(20) .. 'b')", "wall", {"wall_ms": 150}),
    ],
)  # fmt: skip
async def test_each_limit_ends_the_run_by_name_and_the_next_run_works(
    pool: LuaPool, source: str, limit: str, limits: dict[str, int]
) -> None:
    """A breach is SCRIPT_LIMIT with the limit's name and how much it is, pcall or not; nothing of it stays."""
    found = await failure(pool, source, limits=ScriptLimits(**limits))
    assert (found.reason, found.limit, found.retryable) == (FailureReason.SCRIPT_LIMIT, limit, False)
    assert all(str(value) in found.message for value in limits.values()), found.message
    assert await value(pool, "return 'fine'") == "fine"


async def test_the_input_has_a_limit(pool: LuaPool) -> None:
    """An input past its limit never reaches a worker."""
    assert (
        await failure(pool, "return 1", input=b'"' + b"x" * 100 + b'"', limits=ScriptLimits(input_bytes=100))
    ).limit == "input"


async def test_a_long_pattern_is_an_ordinary_error(pool: LuaPool) -> None:
    """A pattern past its limit costs nothing to refuse, so it is an error that a script may catch."""
    found = await failure(pool, "local found = ('x'):find(('a'):rep(300))")
    assert (found.reason, found.line) == (FailureReason.SCRIPT_ERROR, 1)
    assert "pattern too long (limit 256 bytes)" in found.message


async def test_nothing_stays_between_runs(pool: LuaPool) -> None:
    """Globals, libraries and metatables of one run are not there in the next, on whatever worker it lands."""
    await value(pool, "LEFT = 1 string.left = 1 json.encode = nil getmetatable = nil return 1")
    assert (
        await value(pool, "return {LEFT == nil, string.left == nil, json.encode ~= nil, getmetatable ~= nil}")
        == [True] * 4
    )


async def test_a_script_runs_without_a_daemon() -> None:
    """run_alone brings its own pool and leaves nothing behind."""
    result = await run_alone(ScriptCall(source="return input.n * 2", input=b'{"n":21}'))
    assert result.output == b"42"


async def test_the_deepest_value_that_may_enter_may_leave(pool: LuaPool) -> None:
    """64 levels pass in and out; one more is an error of the script on the way out."""
    deep = b"[" * 64 + b"]" * 64
    result = await run(pool, "return input", input=deep)
    assert result.output == deep
    assert "nested deeper than 64" in (await failure(pool, "return {input}", input=deep)).message


async def test_a_host_call_inside_a_c_callback_is_a_clear_error(pool: LuaPool) -> None:
    """Where Lua cannot wait, the script is told so."""
    found = await failure(pool, "local s = ('a'):gsub('a', function() return host.call('echo', 1) end)")
    assert "host call 'echo' is not possible inside a gsub callback" in found.message
