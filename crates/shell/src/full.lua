-- Part of the library, between commit.lua and reads.lua: new work is refused before Redis is full.
--
-- At `maxmemory` Redis refuses every write that may take memory, before it starts. So that releases,
-- cancellations and reactions still find room then, what only takes is refused a little earlier. The
-- looks at the memory are the only state of this library; losing it costs one look.

local KEPT = 0.1 -- the share of maxmemory that is kept for what frees memory
local CALLS_A_LOOK = 64 -- INFO costs about as much as a small commit

local calls, full = CALLS_A_LOOK, false

local function is_full()
  calls = calls + 1
  if full or calls >= CALLS_A_LOOK then
    calls = 0
    -- A user who may not look learns of a full Redis from Redis alone.
    local memory = redis.pcall('INFO', 'memory')
    memory = type(memory) == 'string' and memory or ''
    local used = number_of(string.match(memory, 'used_memory:(%d+)'))
    local most = number_of(string.match(memory, 'maxmemory:(%d+)'))
    full = most > 0 and used > most * (1 - KEPT)
  end
  return full
end

local function commit_with_room(keys, args)
  if is_full() then
    return { 'full' }
  end
  return commit(keys, args)
end

