-- The rest of the library, appended to commit.lua: reading, cuts, leases, and the names under which
-- all of it is called.

local CHUNK = 4000 -- `unpack` of 8,000 values fails
local SCAN_STEP = 64 -- entries that a cut fetches at once, at least

-- read ------------------------------------------------------------------------------------------

local function append_fields(out, key, names)
  for first = 1, #names, CHUNK do
    append(out, redis.call('HMGET', key, unpack(names, first, math.min(first + CHUNK - 1, #names))))
  end
end

local readers = {
  R = function(out, key)
    out[#out + 1] = redis.call('GET', key)
  end,
  H = function(out, key)
    append_counted(out, redis.call('HGETALL', key))
  end,
  F = function(out, key, take, take_many)
    append_fields(out, key, take_many(take()))
  end,
  L = function(out, key, take)
    append_counted(out, redis.call('ZRANGEBYLEX', key, take(), '+', 'LIMIT', 0, take()))
  end,
  D = function(out, key, take)
    local until_score = take()
    append_counted(out, redis.call(
      'ZRANGEBYSCORE', key, '-inf', until_score, 'WITHSCORES', 'LIMIT', 0, take()))
  end,
  K = function(out, key, take)
    out[#out + 1] = redis.call('HGET', key, take())
  end,
  W = function(out, key, take)
    append_counted(out, redis.call('HRANDFIELD', key, take(), 'WITHVALUES'))
  end,
  E = function(out, key, take)
    local after, limit = take(), take()
    local entries = limit ~= '0' and redis.call('XRANGE', key, after, '+', 'COUNT', limit) or {}
    out[#out + 1] = text(#entries)
    for _, entry in ipairs(entries) do
      append(out, { entry[1], entry[2][4] })
    end
  end,
}

local function read(keys, args)
  local take, take_many = walker(args)
  local domain = take()
  local out = { is_behind(keys, domain, nil, take, take_many) and '1' or '0' }
  out[2] = text(redis.call('EXISTS', keys[MARKS]))
  out[3] = redis.call('GET', keys[SEQUENCE]) or '0'
  out[4] = life()
  for i = MARKS + 1, #keys do
    readers[take()](out, keys[i], take, take_many)
  end
  return out
end

-- cut, take up, release -------------------------------------------------------------------------

-- Adds what is of interest in one stream after the cursor, up to the bound; returns the sequence
-- up to which it looked, or nil when it saw everything.
local function cut_stream(found, key, cursor, bound, wanted, limit, scan)
  local at, scanned, taken = cursor, 0, 0
  while at < bound do
    local step = math.min(math.max(limit - taken, SCAN_STEP), scan - scanned)
    local entries = redis.call('XRANGE', key, '(' .. text(at), text(bound), 'COUNT', text(step))
    for _, entry in ipairs(entries) do
      at, scanned = tonumber(string.match(entry[1], '^%d+')), scanned + 1
      if not wanted or wanted[entry[2][2]] then
        found[#found + 1], taken = { at, entry[2][4] }, taken + 1
      end
      if (scanned == scan or taken == limit) and at < bound then
        return at
      end
    end
    if #entries < step then
      return nil
    end
  end
end

-- A cut over the streams from this place among the keys on: cursor, horizon and events as they are
-- answered, and whether more lies beyond them.
local function cut_of(keys, first, domain, take, take_many)
  local limit, scan = take(), take()
  local cursor = cursor_of(keys, domain)
  local horizon = number_of(redis.call('GET', keys[SEQUENCE]))
  local last, found = number_of(redis.call('HGET', keys[LAST], domain)), {}
  for i = first, last > cursor and #keys or 0 do
    local types, bound, wanted = take_many(take()), 0, nil
    if #types == 0 then
      bound = last
    else
      wanted = {}
      for place, value in ipairs(redis.call('HMGET', keys[TYPES], unpack(types))) do
        wanted[types[place]], bound = true, math.max(bound, number_of(value))
      end
    end
    local seen = cut_stream(found, keys[i], cursor, bound, wanted, limit, scan)
    horizon = math.min(horizon, seen or horizon)
  end
  table.sort(found, function(one, other) return one[1] < other[1] end)
  local out = { text(cursor), '' }
  for i, event in ipairs(found) do
    if event[1] > horizon then
      break
    end
    append(out, { text(event[1]), event[2] })
    if i == limit and found[i + 1] and found[i + 1][1] <= horizon then
      horizon = event[1]
    end
  end
  out[2] = text(horizon)
  return out, last > cursor, horizon - cursor
end

local function cut(keys, args)
  local take, take_many = walker(args)
  local out = cut_of(keys, MARKS, take(), take, take_many)
  return out
end

-- How often the position was tried under a lease, this time included, and since when, in ms.
local function count_try(tries, position, is_new)
  local known = redis.call('HMGET', tries, 'position', 'count', 'since')
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local count, since = 0, now
  if known[1] == position then
    count, since = number_of(known[2]), number_of(known[3])
  end
  if is_new or count == 0 then
    count = count + 1
  end
  redis.call('HSET', tries, 'position', position, 'count', text(count), 'since', text(since))
  return text(count), text(math.max(0, now - since))
end

local function take_up(keys, args)
  local take, take_many = walker(args)
  local domain, owner, millis, gap, most_marks = take(), take(), take(), take(), take()
  local marks, held, tries, plan = keys[MARKS], keys[MARKS + 1], keys[MARKS + 2], keys[MARKS + 3]
  local holder = redis.call('GET', held)
  if holder and holder ~= owner then
    return { 'held' }
  end
  local found, behind, left = cut_of(keys, MARKS + 4, domain, take, take_many)
  local kept = redis.call('GET', plan)
  local marked = most_marks ~= '0' and redis.call('HRANDFIELD', marks, most_marks) or {}
  local nothing = #found == 2 -- cursor and horizon alone
  local skips = nothing and (left > gap or (behind and left > 0))
  if nothing and not kept and #marked == 0 and not skips then
    if holder then
      redis.call('DEL', held, tries)
    end
    return { 'idle' }
  end
  local position = found[1] .. ':' .. string.sub(kept or '', 1, 16)
  local count, tried_for = count_try(tries, position, not holder)
  redis.call('SET', held, owner, 'PX', millis)
  local out = { 'waiting', count, tried_for, skips and '1' or '0', kept }
  append_counted(out, marked)
  append(out, found)
  return out
end

local function release(keys, args)
  if redis.call('GET', keys[1]) == args[1] then
    redis.call('DEL', keys[1])
    if args[2] == '1' then
      redis.call('DEL', keys[2])
    end
  end
  return { 'ok' }
end

-- Arguments and reply are packed: as single values they would be copied and counted one by one all
-- the way.
local function register(name, callback, flags)
  local function packed(keys, args)
    return cmsgpack.pack(callback(keys, cmsgpack.unpack(args[1])))
  end
  redis.register_function { function_name = name .. '_@VERSION@', callback = packed, flags = flags }
end

register('read', read, { 'no-writes' })
register('cut', cut, { 'no-writes' })
register('commit', commit_with_room, {})
-- The same, when memory is full: for releases and cancellations.
register('commit_frees', commit, { 'allow-oom' })
-- Their few bytes must not stop what frees memory.
register('take_up', take_up, { 'allow-oom' })
register('release', release, { 'allow-oom' })
