-- Strings: every function that could run long inside C is bounded or metered; nothing prints an address.

local S, U = string, utf8
local s_rep, s_find, s_match, s_gmatch, s_gsub, s_format, s_byte, s_sub =
      S.rep, S.find, S.match, S.gmatch, S.gsub, S.format, S.byte, S.sub
local t_pack, t_unpack = table.pack, table.unpack
local rawmt, floor = debug.getmetatable, math.floor
local trip, spend, limits = P.trip, P.spend, P.limits

local function x_tostring(v)
  local kind = type(v)
  if kind == "table" then
    local mt = rawmt(v)
    local f = mt and rawget(mt, "__tostring")
    if not f then return "table" end
    local text = f(v)
    if type(text) ~= "string" then error("'__tostring' must return a string", 2) end
    return text
  elseif kind == "function" or kind == "thread" or kind == "userdata" then return kind
  elseif v ~= v then return "nan" end        -- C prints "nan" or "-nan", as the machine likes
  return tostring(v)
end
P.tostring = x_tostring

local function str(v, n, name)
  local kind = type(v)
  if kind == "string" then return v end
  if kind == "number" then return x_tostring(v) end
  error(s_format("bad argument #%d to '%s' (string expected, got %s)", n, name, kind), 3)
end
P.str = str

local function big(bytes)
  if bytes > limits.string_bytes then return trip("string") end
  spend(bytes)
end
P.big = big

local function pattern(p, name)
  p = str(p, 2, name)
  if #p > limits.pattern_bytes then error("pattern too long (limit " .. limits.pattern_bytes .. " bytes)", 3) end
  return p
end

local xs = { char = S.char, len = S.len }
P.string = xs

for _, name in ipairs{ "lower", "upper", "reverse" } do
  local f = S[name]
  xs[name] = function(s) s = str(s, 1, name); big(#s); return f(s) end
end

function xs.sub(s, i, j) s = str(s, 1, "sub"); spend(#s // 8); return s_sub(s, i, j) end

function xs.byte(s, i, j)
  s = str(s, 1, "byte"); i = i or 1; j = j or i
  return s_byte(s, i, j)
end

function xs.rep(s, n, sep)
  s = str(s, 1, "rep"); n = tonumber(n)
  if not n then error("bad argument #2 to 'rep' (number expected)", 2) end
  sep = sep and str(sep, 3, "rep") or ""
  n = floor(n)
  local each = #s + #sep
  if n <= 0 or each == 0 then return "" end
  if n > limits.string_bytes or each * n > limits.string_bytes then return trip("string") end
  spend(each * n)
  return s_rep(s, n, sep)
end

function xs.find(s, p, i, plain)
  s = str(s, 1, "find")
  if not plain then p = pattern(p, "find"); spend(#s); return s_find(s, p, i) end
  p = str(p, 2, "find"); spend(#s)
  if #s * #p > 1 << 28 then return trip("string") end   -- the plain search is naive: length times length
  return s_find(s, p, i, true)
end

function xs.match(s, p, i)
  s = str(s, 1, "match"); p = pattern(p, "match"); spend(#s)
  return s_match(s, p, i)
end

function xs.gmatch(s, p, i)
  s = str(s, 1, "gmatch"); p = pattern(p, "gmatch"); spend(#s)
  local each, dead = s_gmatch(s, p, i), false
  local function alive(...) dead = false; return ... end
  return function()
    if dead then error("the gmatch iterator is dead", 2) end
    dead = true                          -- stays dead if the matcher raises: Lua 5.4.8 crashes on using it again
    return alive(each())
  end
end

function xs.gsub(s, p, r, n)
  s = str(s, 1, "gsub"); p = pattern(p, "gsub"); spend(#s * 2)
  if type(r) == "number" then r = x_tostring(r) end
  if type(r) == "string" and #r * (#s + 1) > limits.string_bytes * 4 then return trip("string") end
  return s_gsub(s, p, r, n)
end

function xs.format(f, ...)
  f = str(f, 1, "format")
  if #f > 8192 then error("format too long (limit 8192 bytes)", 2) end
  if s_find(f, "%%[%-+ #0-9.]*p") then error("invalid conversion '%p' to 'format'", 2) end
  local args, total = t_pack(...), #f
  for i = 1, args.n do
    local kind = type(args[i])
    if kind == "string" then total = total + #args[i]
    elseif kind ~= "number" and kind ~= "nil" and kind ~= "boolean" then args[i] = x_tostring(args[i]) end
  end
  big(total)
  return s_format(f, t_unpack(args, 1, args.n))
end

local mt = rawmt("")
mt.__index, mt.__metatable = xs, false

local xu = {}
for k, v in next, U do xu[k] = v end
function xu.len(s, ...) s = str(s, 1, "len"); big(#s); return U.len(s, ...) end
function xu.char(...)
  if select("#", ...) > 8000 then error("too many arguments (limit 8000)", 2) end
  return U.char(...)
end
P.utf8 = xu
