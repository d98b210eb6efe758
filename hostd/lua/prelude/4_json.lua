-- JSON: the only form in which values enter and leave. Keys leave sorted; numbers follow hostd's one rule:
-- an integral float within 2^53 is that integer, NaN and infinities are errors, integers are 64-bit.

local s_find, s_match, s_gsub, s_format, s_byte, s_char, s_sub =
      string.find, string.match, string.gsub, string.format, string.byte, string.char, string.sub
local t_concat = table.concat
local u_char, u_len = utf8.char, utf8.len
local rawmt, mathtype, tointeger, huge = debug.getmetatable, math.type, math.tointeger, math.huge
local trip, spend, sorted_keys = P.trip, P.spend, P.sorted_keys

local MAX_DEPTH = 64
local EXACT = 2.0 ^ 53

local null = setmetatable({}, {
  __metatable = "json.null",
  __tostring = function() return "null" end,
  __newindex = function() error("json.null is read-only", 2) end,
})
local array_mt = { __metatable = "json.array" }   -- marks empty arrays; out of every script's reach
P.null = null

-- ---- encode -----------------------------------------------------------------------------------
local escapes = { ['"'] = '\\"', ['\\'] = '\\\\', ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t' }
for i = 0, 31 do
  local c = s_char(i)
  escapes[c] = escapes[c] or s_format("\\u%04x", i)
end
escapes["\127"] = "\\u007f"

local out, count, bytes, budget, breach

local function too_large()
  if not breach then error("json: the text is larger than " .. budget .. " bytes", 0) end
  return trip(breach)
end

local function put(text)
  count = count + 1
  out[count] = text
  bytes = bytes + #text
  if bytes > budget then return too_large() end
end

local function put_string(s)
  if #s > budget then return too_large() end
  spend(#s * 2)
  if not u_len(s) then error("json: a string is not valid UTF-8", 0) end
  put('"' .. s_gsub(s, '[%c"\\\127]', escapes) .. '"')
end

local function put_float(v)
  if v ~= v or v == huge or v == -huge then error("json: NaN and infinities are not JSON values", 0) end
  if v >= -EXACT and v <= EXACT then
    local whole = tointeger(v)
    if whole then return put(s_format("%d", whole)) end
    for digits = 15, 17 do
      local text = s_format("%." .. digits .. "g", v)
      if tonumber(text) == v then return put(text) end
    end
  end
  return put(s_format("%.16e", v))        -- past 2^53 an exponent says that it is a float
end

local put_value

local function put_array(t, n, depth)
  put("[")
  for i = 1, n do
    if i > 1 then put(",") end
    put_value(rawget(t, i), depth + 1)
  end
  return put("]")
end

local function put_object(t, keys, n, depth)
  put("{")
  for i = 1, n do
    if i > 1 then put(",") end
    put_string(keys[i]); put(":")
    put_value(rawget(t, keys[i]), depth + 1)
  end
  return put("}")
end

local function put_table(t, depth)
  if depth > MAX_DEPTH then error("json: nested deeper than " .. MAX_DEPTH .. " (or a table holds itself)", 0) end
  local keys, n, ints, strings = sorted_keys(t)
  if not keys then error("json: a " .. n .. " cannot be a key", 0) end
  if ints + strings ~= n then error("json: a boolean cannot be a key", 0) end
  if n == 0 then return put(rawequal(rawmt(t), array_mt) and "[]" or "{}") end
  if strings == n then
    if rawequal(rawmt(t), array_mt) then error("json: a json.array holds text keys", 0) end
    return put_object(t, keys, n, depth)
  end
  if strings > 0 or keys[1] ~= 1 or keys[n] ~= n then
    error("json: a table mixes array and object keys, or its array has holes", 0)
  end
  return put_array(t, n, depth)
end

function put_value(v, depth)
  local kind = type(v)
  if kind == "string" then return put_string(v)
  elseif kind == "number" then
    if mathtype(v) == "integer" then return put(s_format("%d", v)) end
    return put_float(v)
  elseif kind == "boolean" then return put(v and "true" or "false")
  elseif kind == "nil" or rawequal(v, null) then return put("null")
  elseif kind == "table" then return put_table(v, depth) end
  error("json: a " .. kind .. " is not a JSON value", 0)
end

-- Returns JSON text of at most `max` bytes. Beyond: the limit that `name` says, or an ordinary error without one.
local function encode(v, max, name)
  out, count, bytes, budget, breach = {}, 0, 0, max, name
  put_value(v, 1)
  local text = t_concat(out, "", 1, count)
  out = nil
  return text
end
P.encode = encode

-- ---- decode -----------------------------------------------------------------------------------------
local unescapes = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r', t = '\t' }
local src, pos, len

local function fail(what) error("json: " .. what .. " at byte " .. pos, 0) end
local function skip() pos = s_find(src, "[^ \t\r\n]", pos) or len + 1 end

local function plain(i, j)
  local text = s_sub(src, i, j)
  if s_find(text, "[\0-\31]") then fail("a control character in a string") end
  return text
end

local function code_point(i)              -- of \uXXXX whose X start at i; returns the text and where it ends
  local hex = s_match(src, "^%x%x%x%x", i)
  if not hex then fail("bad escape") end
  local code = tonumber(hex, 16)
  if code >= 0xDC00 and code < 0xE000 then fail("a lone surrogate") end
  if code < 0xD800 or code >= 0xE000 then return u_char(code), i + 4 end
  local low = s_match(src, "^\\u([dD][c-fC-F]%x%x)", i + 4)
  if not low then fail("a lone surrogate") end
  return u_char(0x10000 + (code - 0xD800) * 1024 + (tonumber(low, 16) - 0xDC00)), i + 10
end

local function take_string()
  local i = pos + 1
  local j = s_find(src, '["\\]', i)
  if j and s_byte(src, j) == 34 then pos = j + 1; return plain(i, j - 1) end
  local parts, n = {}, 0
  while j do
    n = n + 1; parts[n] = plain(i, j - 1)
    if s_byte(src, j) == 34 then pos = j + 1; return t_concat(parts, "", 1, n) end
    local c = s_sub(src, j + 1, j + 1)
    n = n + 1; pos = j
    if c == "u" then parts[n], i = code_point(j + 2)
    else parts[n], i = unescapes[c] or fail("bad escape"), j + 2 end
    j = s_find(src, '["\\]', i)
  end
  fail("unterminated string")
end

local function take_number()
  local _, last = s_find(src, "^-?%d+", pos)
  if not last then fail("unexpected character") end
  if s_find(src, "^-?0%d", pos) then fail("a number with a leading zero") end
  local whole = last
  local _, fraction = s_find(src, "^%.%d+", last + 1); last = fraction or last
  local _, exponent = s_find(src, "^[eE][+-]?%d+", last + 1); last = exponent or last
  local v = tonumber(s_sub(src, pos, last))
  if last == whole then
    if mathtype(v) ~= "integer" then fail("an integer outside 64 bits") end
  else
    if v == huge or v == -huge then fail("a number out of range") end
    if v >= -EXACT and v <= EXACT then v = tointeger(v) or v end
  end
  pos = last + 1
  return v
end

local take

local function take_object(depth)
  local t = {}
  pos = pos + 1; skip()
  if s_byte(src, pos) == 125 then pos = pos + 1; return t end
  while true do
    if s_byte(src, pos) ~= 34 then fail("expected a key") end
    local key = take_string()
    if t[key] ~= nil then fail("a key appears twice") end
    skip()
    if s_byte(src, pos) ~= 58 then fail("expected ':'") end
    pos = pos + 1; skip()
    t[key] = take(depth + 1)
    skip()
    local c = s_byte(src, pos)
    if c == 125 then pos = pos + 1; return t elseif c ~= 44 then fail("expected ',' or '}'") end
    pos = pos + 1; skip()
  end
end

local function take_array(depth)
  local t, n = {}, 0
  pos = pos + 1; skip()
  if s_byte(src, pos) == 93 then pos = pos + 1; return setmetatable(t, array_mt) end
  while true do
    n = n + 1; t[n] = take(depth + 1)
    skip()
    local c = s_byte(src, pos)
    if c == 93 then pos = pos + 1; return t elseif c ~= 44 then fail("expected ',' or ']'") end
    pos = pos + 1; skip()
  end
end

function take(depth)
  local c = s_byte(src, pos)
  if c == 34 then return take_string()
  elseif c == 123 or c == 91 then
    if depth > MAX_DEPTH then fail("nested deeper than " .. MAX_DEPTH) end
    if c == 123 then return take_object(depth) end
    return take_array(depth)
  elseif c == 116 and s_sub(src, pos, pos + 3) == "true" then pos = pos + 4; return true
  elseif c == 102 and s_sub(src, pos, pos + 4) == "false" then pos = pos + 5; return false
  elseif c == 110 and s_sub(src, pos, pos + 3) == "null" then pos = pos + 4; return null end
  return take_number()
end

local function decode(text)
  if not u_len(text) then error("json: the text is not valid UTF-8", 0) end
  spend(#text * 4)
  src, pos, len = text, 1, #text
  skip()
  local v = take(1)
  skip()
  if pos <= len then fail("something follows the value") end
  src = nil
  return v
end
P.decode = decode

P.json = {
  encode = function(v) return encode(v, P.limits.string_bytes, "string") end,
  decode = function(text)
    text = P.str(text, 1, "decode")
    P.big(#text)
    return decode(text)
  end,
  null = null,
  array = function(t)
    t = t or {}
    if type(t) ~= "table" or rawmt(t) ~= nil then error("json.array: a table without a metatable expected", 2) end
    return setmetatable(t, array_mt)
  end,
}
