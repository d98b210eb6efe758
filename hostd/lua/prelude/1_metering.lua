-- Metering: limits that a script can neither catch nor outrun, protected calls and coroutines that respect them.
-- Every prelude file is the body of `function(P)`; P is private to the prelude and never reaches a script.

local debug_sethook, os_clock = debug.sethook, os.clock
local C = coroutine
local co_create, co_resume, co_yield, co_status = C.create, C.resume, C.yield, C.status

local HOOK_EVERY = 10000        -- VM instructions between two looks at the clock
local WORK_EVERY = 1 << 20      -- bytes handled inside C functions, where no hook runs, between two looks
local NO_MEMORY = "not enough memory"

local limits = {}               -- filled by P.begin
P.limits = limits
local tripped, cpu_end, coroutines, work

function P.begin()
  tripped, coroutines, work = nil, 0, 0
  cpu_end = os_clock() + limits.cpu_s
end

-- Once tripped, always tripped: every wrapper raises again, so pcall cannot swallow a limit.
local function trip(name)
  tripped = tripped or name
  error("hostd: limit exceeded: " .. tripped, 0)
end

local function look()
  if tripped then return trip(tripped) end
  if os_clock() > cpu_end then return trip("cpu") end
end

local function spend(bytes)
  work = work + bytes
  if work > WORK_EVERY then work = 0; return look() end
end

local function arm(co) debug_sethook(co, look, "", HOOK_EVERY) end

P.trip, P.spend, P.look, P.arm, P.NO_MEMORY = trip, spend, look, arm, NO_MEMORY
function P.tripped() return tripped end

-- ---- protected calls -------------------------------------------------------
local function guard(ok, ...)
  if tripped then return trip(tripped) end
  if not ok and rawequal((...), NO_MEMORY) then return trip("memory") end
  return ok, ...
end

local function x_pcall(f, ...) return guard(pcall(f, ...)) end

local function refused(_, ...) return false, ... end

-- The handler runs after unwinding: C's xpcall would run it inside the hook, where no other hook can stop it.
local function handled(handler, ok, ...)
  if ok then return ok, ... end
  return refused(guard(pcall(handler, (...))))
end

local function x_xpcall(f, handler, ...) return handled(handler, guard(pcall(f, ...))) end

P.pcall, P.xpcall = x_pcall, x_xpcall

-- ---- coroutines: a hook of their own each; requests to the host pass outward through them -----
local HOST = {}                 -- private tag of a request
P.HOST = HOST

local function x_create(f)
  if type(f) ~= "function" then error("bad argument #1 to 'create' (function expected)", 2) end
  coroutines = coroutines + 1
  if coroutines > limits.coroutines then return trip("coroutines") end
  look()                        -- the hook counts per coroutine: many short ones would hide from it
  local co = co_create(f)
  arm(co)
  return co
end

local function after(co, ok, first, ...)
  if tripped then return trip(tripped) end
  if ok and rawequal(first, HOST) then return after(co, co_resume(co, co_yield(HOST, ...))) end
  return guard(ok, first, ...)
end

local function x_resume(co, ...)
  if type(co) ~= "thread" then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
  look()
  return after(co, co_resume(co, ...))
end

local function unwrap(ok, ...)
  if ok then return ... end
  return error((...), 0)
end

local function x_wrap(f)
  local co = x_create(f)
  return function(...) return unwrap(x_resume(co, ...)) end
end

local function x_yield(...)
  if rawequal((...), HOST) then error("forbidden", 2) end
  return co_yield(...)
end

P.coroutine = {
  create = x_create, resume = x_resume, wrap = x_wrap, yield = x_yield,
  status = co_status, running = C.running, isyieldable = C.isyieldable,
}
