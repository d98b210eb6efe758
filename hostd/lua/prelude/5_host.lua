-- The outside: log lines, calls to the host, the run's fixed time and its seeded random numbers.

local os_time, os_date, floor = os.time, os.date, math.floor
local s_byte, s_gsub, s_sub, s_format = string.byte, string.gsub, string.sub, string.format
local t_pack, t_concat, sort, u_len = table.pack, table.concat, table.sort, utf8.len
local co_yield, co_isyieldable = coroutine.yield, coroutine.isyieldable
local rawmt, randomseed = debug.getmetatable, math.randomseed
local trip, limits, x_tostring, str = P.trip, P.limits, P.tostring, P.str

-- ---- log ------------------------------------------------------------------------------------
local LINE_COST = 16                     -- bytes a line costs beside its text
local lines, line_count, log_bytes = {}, 0, 0

local function shown(v)
  if type(v) ~= "table" then return x_tostring(v) end
  local mt = rawmt(v)
  if mt and rawget(mt, "__tostring") ~= nil then return x_tostring(v) end
  local ok, text = P.pcall(P.encode, v, limits.log_bytes)
  return ok and text or "table"
end

local function log_at(level)
  return function(...)
    local args = t_pack(...)
    for i = 1, args.n do args[i] = shown(args[i]) end
    local text = t_concat(args, "\t", 1, args.n)
    log_bytes = log_bytes + #text + LINE_COST
    if log_bytes > limits.log_bytes then return trip("log") end
    if not u_len(text) then text = s_gsub(text, "[\128-\255]", "?") end
    line_count = line_count + 1
    lines[line_count] = { level, text }
  end
end

P.log = { debug = log_at "debug", info = log_at "info", warn = log_at "warn", error = log_at "error" }
P.log.warning = P.log.warn               -- as the level is called elsewhere
P.print = log_at "info"

function P.take_lines()
  local taken = lines
  lines, line_count = {}, 0
  return taken
end

-- ---- calls to the host --------------------------------------------------------------------------
-- An error of the host reaches the script as text; what it was is kept for the case that nobody catches it.
P.host_error = nil

local function call(name, argument)
  if type(name) ~= "string" then error("the name of a host call must be a string", 2) end
  if #name == 0 or #name > 128 then error("the name of a host call must have 1 to 128 bytes", 2) end
  if not co_isyieldable() then error("host call '" .. name .. "' is not possible inside a gsub callback or a metamethod called from C", 2) end
  local ok, reply, code, retryable = co_yield(P.HOST, name, P.encode(argument, limits.output_bytes, "output"))
  if ok == true then return P.decode(reply) end
  P.host_error = { text = reply, code = code, retryable = retryable }
  return error(reply, 2)
end

local function door(name, example)       -- sugar: the same as host.call(name, argument)
  local fault = name .. " takes a table such as " .. example
  return function(argument)
    if type(argument) ~= "table" then error(fault, 2) end
    return call(name, argument)
  end
end

P.host = { call = call }
P.http = { request = door("http.request", '{method="GET", url="https://..."}') }
P.kv = {
  get = door("kv.get", '{key="a"}'), put = door("kv.put", '{key="a", value=1}'), add = door("kv.add", '{key="a"}'),
  delete = door("kv.delete", '{key="a"}'), list = door("kv.list", '{prefix="a/"}'),
}
P.event = { publish = door("event.publish", '{topic="orders.created", data={}}') }

-- ---- time: the same at every look; randomness: the same in every replay ----------------------------
local now_ms, seed_a, seed_b = 0, 0, 0

function P.set_origin(time_ms, a, b)
  now_ms, seed_a, seed_b = time_ms, a, b
  randomseed(a, b)
end

P.os = {
  time = function(t)
    if t == nil then return now_ms // 1000 end
    if type(t) ~= "table" then error("bad argument #1 to 'time' (table expected)", 2) end
    return os_time(t)
  end,
  date = function(f, t)                  -- always UTC; the worker sets TZ, so no zone file is opened
    f = f == nil and "%Y-%m-%dT%H:%M:%SZ" or str(f, 1, "date")
    if #f > 64 then error("the format is too long (limit 64 bytes)", 2) end
    if s_byte(f, 1) ~= 33 then f = "!" .. f end
    return os_date(f, t == nil and now_ms // 1000 or t)
  end,
}

P.time = {
  now_ms = function() return now_ms end,
  format = function(ms)                  -- RFC 3339 text in UTC with milliseconds
    if ms == nil then ms = now_ms end
    if type(ms) ~= "number" then error("bad argument #1 to 'format' (milliseconds expected)", 2) end
    ms = floor(ms)
    return os_date("!%Y-%m-%dT%H:%M:%S", ms // 1000) .. s_format(".%03dZ", ms % 1000)
  end,
}

local xm = {}
for k, v in next, math do xm[k] = v end
function xm.randomseed(...)
  if select("#", ...) == 0 then return randomseed(seed_a, seed_b) end
  return randomseed(...)
end
P.math = xm

-- ---- names that are not there ----------------------------------------------------------------------
-- What a script looked for last in a table of ours, for the error that follows when it is called all the same.
local LONGEST_NAME = 64
local missed, there                      -- the name, and the names that there are

local function known(name, meta)
  local names = {}
  for key in next, P[name] do names[#names + 1] = key end
  sort(names)
  local told = "; `" .. name .. "` has " .. t_concat(names, ", ")
  meta.__metatable = false
  meta.__index = function(_, key)
    if type(key) == "string" and #key <= LONGEST_NAME then missed, there = key, told end
    return nil
  end
  setmetatable(P[name], meta)
end

known("log", { __call = function(_, ...) return P.log.info(...) end })
for _, name in ipairs{ "json", "host", "http", "kv", "event", "time" } do known(name, {}) end

function P.meant(text)                   -- what there is, behind an error that says that something is not
  if not missed then return "" end
  local sign = "(field '" .. missed .. "')"
  return s_sub(text, -#sign) == sign and there or ""
end
