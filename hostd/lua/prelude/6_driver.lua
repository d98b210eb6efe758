-- The driver: what a script sees, and three plain functions for the worker. Byte strings, numbers and booleans cross, nothing else.
--
--   boot(source, chunk, input, ctx, time_ms, seed_a, seed_b, cpu_s, output, string, pattern, coroutines, log)
--   step(true, reply) | step(false, text, code, retryable)
--       "ok", json, logs | "call", name, json, logs | "error", text, code, retryable or nil, logs
--       "limit", name, logs | "syntax", text, logs
--   check(source, chunk)   "ok" | "syntax", text | "limit", "memory"

local s_find, s_gsub, s_sub = string.find, string.gsub, string.sub
local co_create, co_resume, co_status = coroutine.create, coroutine.resume, coroutine.status
local u_len, rawmt, collect, load = utf8.len, debug.getmetatable, collectgarbage, load
local MAX_MESSAGE, MAX_CODE = 2000, 64

local env = {
  _VERSION = "Lua 5.4", assert = assert, error = error, ipairs = ipairs, next = P.next, pairs = P.pairs,
  rawequal = rawequal, rawget = rawget, rawlen = rawlen, rawset = rawset, select = select,
  tonumber = tonumber, tostring = P.tostring, type = type,
  pcall = P.pcall, xpcall = P.xpcall, setmetatable = P.setmetatable, getmetatable = P.getmetatable,
  string = P.string, table = P.table, math = P.math, utf8 = P.utf8, coroutine = P.coroutine,
  os = P.os, time = P.time, json = P.json, log = P.log, print = P.print, host = P.host, http = P.http,
  kv = P.kv, event = P.event,
}
env._G = env

-- Nothing dangerous stays reachable from any table, not even from the real globals that no script sees.
local G = _G
for _, name in ipairs{ "debug", "io", "os", "package", "require", "load", "loadfile", "dofile", "python", "collectgarbage",
  "warn", "coroutine", "string", "table", "math", "utf8" } do G[name] = nil end

local main

local function take_logs()
  local lines = P.take_lines()
  if #lines == 0 then return "[]" end
  local ok, text = pcall(P.encode, lines, 1 << 40)
  return ok and text or "[]"
end

local function clean(text, max)
  text = s_sub(text, 1, max)
  if not u_len(text) then text = s_gsub(text, "[\128-\255]", "?") end
  return text
end

local function field(t, name, kind)
  local v = rawget(t, name)
  if type(v) == kind then return v end
end

local function failed(e)
  if type(e) == "table" then
    local text = field(e, "message", "string") or "the script raised a table without a message"
    return "error", clean(text, MAX_MESSAGE), clean(field(e, "code", "string") or "", MAX_CODE), field(e, "retryable", "boolean"), take_logs()
  end
  local text = type(e) == "string" and e or P.tostring(e)
  local known = P.host_error             -- an error of the host that nobody caught keeps its code
  if known and s_sub(text, -#known.text) == known.text then
    return "error", clean(text, MAX_MESSAGE), clean(known.code, MAX_CODE), known.retryable, take_logs()
  end
  return "error", clean(text .. P.meant(text), MAX_MESSAGE), "", nil, take_logs()
end

local function out_of_memory()
  collect()
  return "limit", "memory", take_logs()
end

local function finish(ok, a, b, c)
  local tripped = P.tripped()
  if tripped then
    if tripped == "memory" then return out_of_memory() end
    return "limit", tripped, take_logs()
  end
  if not ok then
    if rawequal(a, P.NO_MEMORY) then return out_of_memory() end
    return failed(a)
  end
  if co_status(main) == "dead" then return "ok", a, take_logs() end
  if rawequal(a, P.HOST) then return "call", b, c, take_logs() end
  return "error", "attempt to yield from the main script", "", nil, take_logs()
end

local function compile(source, chunk, scope)
  local f, e = load(source, "=" .. chunk, "t", scope)
  if f then return f end
  if rawequal(e, P.NO_MEMORY) then return nil, "limit", "memory" end
  return nil, "syntax", clean(e, MAX_MESSAGE)
end

local function check(source, chunk)
  local f, kind, text = compile(source, chunk, {})
  if f then return "ok" end
  return kind, text
end

local function boot(source, chunk, input, ctx, time_ms, seed_a, seed_b, cpu_s, output, string_, pattern, coroutines, log)
  local limits = P.limits
  limits.cpu_s, limits.output_bytes, limits.string_bytes = cpu_s, output, string_
  limits.pattern_bytes, limits.coroutines, limits.log_bytes = pattern, coroutines, log
  P.begin()
  P.set_origin(time_ms, seed_a, seed_b)
  local f, kind, text = compile(source, chunk, env)
  if not f then return kind, text, "[]" end
  main = co_create(function()
    env.ctx = P.decode(ctx)
    env.input = P.decode(input)
    return P.encode((f(env.input)), output, "output")
  end)
  P.arm(main)
  return finish(co_resume(main))
end

local function step(...) return finish(co_resume(main, ...)) end

-- lupa looks these names up without protection on every call: held, they need no memory when there is none.
local held = { "debug", "traceback", P.NO_MEMORY }
return boot, step, check, held
