"""The same script on the same input gives the same bytes in every process, whatever Lua's seeds and clocks say."""

from __future__ import annotations

from hostd.lua.call import ScriptCall, ScriptResult
from hostd.lua.pool import PoolOptions
from hostd.lua.script import LuaPool

SOURCE = """
  local words, seen = {}, {}
  for word in input.text:gmatch("%w+") do words[word] = (words[word] or 0) + 1 end
  for word, count in pairs(words) do seen[#seen + 1] = {word = word, count = count, at = #seen} end
  table.sort(seen, function(a, b) return a.count > b.count end)
  for i = 1, 200 do words["k" .. math.random(1 << 30)] = i; if i % 3 == 0 then words["k" .. i] = nil end end
  local names = {}
  for name in pairs(words) do names[#names + 1] = name end
  for k, v in pairs(host.call("echo", words)) do log.info(k, v) end
  return {
    seen = seen, names = names, words = words, object = tostring({}), fn = tostring(print), nan = tostring(0/0),
    time = os.time(), date = os.date(), random = {math.random(), math.random(100)}, any = next(words),
    error = select(2, pcall(function() return words.x.y end)),
    line = string.format("%s %s", {}, coroutine.create(print)),
  }
"""


class Echo:
    """Answers with its argument."""

    async def call(self, name: str, argument: bytes) -> bytes:
        return argument


async def one_fresh_process() -> ScriptResult:
    """Run the script in a worker of a zygote of its own."""
    pool = LuaPool(PoolOptions(workers_max=1, spare=0))
    await pool.start()
    try:
        text = b'{"text":"the quick brown fox jumps over the lazy dog and the other fox"}'
        call = ScriptCall(
            source=SOURCE, input=text, time_ms=1_700_000_000_000, seed=b"seed", capabilities=frozenset({"echo"})
        )
        return await pool.run(call, Echo())
    finally:
        await pool.close()


async def test_a_script_is_a_function_of_its_input_and_replies() -> None:
    """Twenty fresh interpreters, twenty equal results and logs."""
    results = [await one_fresh_process() for _ in range(20)]
    assert results[0].failure is None, results[0].failure
    assert {(result.output, result.logs) for result in results} == {(results[0].output, results[0].logs)}
