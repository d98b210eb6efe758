-- Tables: one order of iteration on every machine and in every process, a stable sort, bounded C loops.

local T = table
local t_concat, t_insert, t_remove, t_unpack, t_sort, t_move = T.concat, T.insert, T.remove, T.unpack, T.sort, T.move
local rawmt, floor, mathtype = debug.getmetatable, math.floor, math.type
local trip, spend, str, big = P.trip, P.spend, P.str, P.big

-- ---- iteration: integers ascending, then strings in byte order, then false, true ----------------
-- Lua's own order follows a string hash seeded per state, so it differs from process to process.
-- Returns the keys, their count, how many are integers and how many strings; or nil and the type of a key without order.
local function sorted_keys(t)
  local ints, strings, ni, ns = {}, {}, 0, 0
  local has_false, has_true
  for key in next, t do
    local kind = type(key)
    if kind == "string" then ns = ns + 1; strings[ns] = key
    elseif mathtype(key) == "integer" then ni = ni + 1; ints[ni] = key
    elseif kind == "boolean" then if key then has_true = true else has_false = true end
    else return nil, kind == "number" and "float" or kind end
  end
  spend((ni + ns) * 64)
  if ni > 1 then t_sort(ints) end        -- all keys differ, so C's unstable sort has one result
  if ns > 1 then t_sort(strings) end
  if ns > 0 then t_move(strings, 1, ns, ni + 1, ints) end
  local n = ni + ns
  if has_false then n = n + 1; ints[n] = false end
  if has_true then n = n + 1; ints[n] = true end
  return ints, n, ni, ns
end
P.sorted_keys = sorted_keys

local function x_pairs(t)
  local mt = rawmt(t)
  local own = mt and rawget(mt, "__pairs")
  if own then
    local step, state, first = own(t)
    return step, state, first
  end
  if type(t) ~= "table" then error("bad argument #1 to 'for iterator' (table expected, got " .. type(t) .. ")", 2) end
  local keys, n = sorted_keys(t)
  if not keys then error("pairs: a " .. n .. " as a key has no order; use integers, strings or booleans as keys", 2) end
  local i = 0
  return function()
    while i < n do
      i = i + 1
      local key = keys[i]
      local value = rawget(t, key)
      if value ~= nil then return key, value end    -- a key removed on the way is not visited
    end
  end, t, nil
end
P.pairs = x_pairs

function P.next(t, key)
  if type(t) ~= "table" then error("bad argument #1 to 'next' (table expected, got " .. type(t) .. ")", 2) end
  if key ~= nil then error("next only says whether a table is empty; use pairs to visit it", 2) end
  if next(t) == nil then return nil end
  return true
end

-- ---- sort: merge sort, stable, calling the comparison in an order that depends on the data alone ---------
local function less(a, b) return a < b end

local function merge(from, into, low, mid, high, before)
  local i, j = low, mid
  for k = low, high - 1 do
    if i < mid and (j >= high or not before(from[j], from[i])) then
      into[k] = from[i]; i = i + 1
    else
      into[k] = from[j]; j = j + 1
    end
  end
end

local function merge_sort(items, n, before)
  local from, into, width = items, {}, 1
  while width < n do
    for low = 1, n, width * 2 do
      local mid, high = low + width, low + width * 2
      if mid > n + 1 then mid = n + 1 end
      if high > n + 1 then high = n + 1 end
      merge(from, into, low, mid, high, before)
    end
    from, into, width = into, from, width * 2
  end
  return from
end

local function raw(t, name)
  if type(t) ~= "table" then error("bad argument #1 to '" .. name .. "' (table expected)", 3) end
  local mt = rawmt(t)                    -- the real one, even if __metatable hides it
  if mt ~= nil and (rawget(mt, "__len") ~= nil or rawget(mt, "__index") ~= nil or rawget(mt, "__newindex") ~= nil) then
    error("table." .. name .. ": metatables with __len, __index or __newindex are not supported", 3)
  end
  return rawlen(t)
end

local xt = { pack = T.pack }
P.table = xt

function xt.sort(t, before)
  local n = raw(t, "sort")
  if before ~= nil and type(before) ~= "function" then error("bad argument #2 to 'sort' (function expected)", 2) end
  if n < 2 then return end
  local sorted = merge_sort(t_move(t, 1, n, 1, {}), n, before or less)
  t_move(sorted, 1, n, 1, t)
end

function xt.insert(t, ...)
  local n = raw(t, "insert")
  if select("#", ...) == 1 then t[n + 1] = (...); return end
  spend(n * 16)
  return t_insert(t, ...)
end

function xt.remove(t, position)
  local n = raw(t, "remove")
  if position then spend(n * 16); return t_remove(t, position) end
  return t_remove(t)
end

function xt.concat(t, sep, i, j)
  local n = raw(t, "concat")
  i, j = floor(i or 1), floor(j or n)
  sep = sep ~= nil and str(sep, 2, "concat") or ""
  if j > n or (j >= i and i < 1 and t[i] == nil) then error("invalid value (nil) in table for 'concat'", 2) end
  local total = j >= i and #sep * (j - i) or 0     -- C would stop only where memory ends
  for k = i, j do
    local v = t[k]
    if type(v) == "string" then total = total + #v end
  end
  big(total)
  return t_concat(t, sep, i, j)
end

function xt.unpack(t, i, j)
  local n = raw(t, "unpack")
  i, j = floor(i or 1), floor(j or n)
  if j >= i and (j - i >= 8000 or j - i < 0) then error("too many results to unpack (limit 8000)", 2) end
  return t_unpack(t, i, j)
end

function xt.move(a, f, e, t, b)
  raw(a, "move")
  if b ~= nil then raw(b, "move") end
  if mathtype(f) ~= "integer" or mathtype(e) ~= "integer" or mathtype(t) ~= "integer" then
    error("bad argument to 'move' (integers expected)", 2)
  end
  if e >= f then
    local span = e - f
    if span < 0 or span > 1000000 then return trip("table") end
    spend(span * 16)
  end
  return t_move(a, f, e, t, b)
end

-- ---- metatables: no finalizers and closers, which run where no hook does ------------------------------
function P.setmetatable(t, mt)
  if type(t) ~= "table" then error("bad argument #1 to 'setmetatable' (table expected)", 2) end
  if mt ~= nil then
    if type(mt) ~= "table" then error("bad argument #2 to 'setmetatable' (nil or table expected)", 2) end
    if rawget(mt, "__gc") ~= nil then error("__gc is not allowed", 2) end
    if rawget(mt, "__close") ~= nil then error("__close is not allowed", 2) end
  end
  return setmetatable(t, mt)
end

function P.getmetatable(t)
  if type(t) ~= "table" then return nil end
  return getmetatable(t)
end
