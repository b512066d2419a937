#!lua name=tradewind_@VERSION@
-- Everything that Tradewind does to Redis: this file changes it, reads.lua, which Rust appends to
-- it, reads it. The meaning is written in store.rs; memory/ holds the same in Rust, and the same
-- tests hold both. Rust puts the hash of both files in place of the word VERSION, so that two
-- versions of the software can run side by side.
--
-- Rules: every check comes before the first write, since a script is not rolled back; no write can
-- fail on well-typed keys; all keys come in KEYS; arguments are one packed list of numbers and texts,
-- replies one of texts; integers stay within 2^53 and are written with %.0f, since `..` keeps 14
-- digits only.

local LIMIT = 9007199254740991 -- 2^53 - 1: doubles are exact up to here

-- The first keys of read, commit and cut.
local SEQUENCE, CURSORS, LAST, TYPES, MARKS, STREAM, REPLY = 1, 2, 3, 4, 5, 6, 7

local function text(number)
  return string.format('%.0f', number)
end

local function exact(number)
  if number > LIMIT or number < -LIMIT then
    error('a sum of counters is beyond 2^53')
  end
  return number
end

local function number_of(value)
  return value and tonumber(value) or 0
end

-- Walks over the arguments. What is counted with comes as a number, everything else as text.
local function walker(args)
  local at = 0
  local function take()
    at = at + 1
    return args[at]
  end
  local function take_many(count)
    local values = {}
    for i = 1, count do
      values[i] = args[at + i]
    end
    at = at + count
    return values
  end
  return take, take_many
end

local function append(out, values)
  local size = #out
  for i = 1, #values do
    out[size + i] = values[i]
  end
end

-- Appends how many values there are, and the values.
local function append_counted(out, values)
  out[#out + 1] = text(#values)
  append(out, values)
end

-- The life of this store: when this process was first called. It is nowhere kept, so that a restart
-- and a promoted replica each begin another one.
local born
local function life()
  if not born then
    local now = redis.call('TIME')
    born = text(tonumber(now[1]) * 1000000 + tonumber(now[2]))
  end
  return born
end

local function cursor_of(keys, domain)
  return number_of(redis.call('HGET', keys[CURSORS], domain))
end

-- Where each of these domains stands: its cursor, and the last event that it reacts to.
local function standings(keys, names)
  local cursors = redis.call('HMGET', keys[CURSORS], unpack(names))
  local lasts = redis.call('HMGET', keys[LAST], unpack(names))
  local out = {}
  for i, name in ipairs(names) do
    out[i] = { name = name, cursor = number_of(cursors[i]), last = number_of(lasts[i]) }
  end
  return out
end

-- Takes `needs` off the arguments: -1 for everything, -2 for everything up to the sequence that
-- follows, else so many types. Where the domain stands is looked up unless it is known.
local function is_behind(keys, domain, standing, take, take_many)
  local count = take()
  if count == 0 then
    return false
  end
  standing = standing or standings(keys, { domain })[1]
  if count < 0 then
    local behind = standing.last > standing.cursor
    if count == -2 then
      return standing.cursor < take() and behind
    end
    return behind
  end
  local lasts = redis.call('HMGET', keys[TYPES], unpack(take_many(count)))
  for i = 1, count do
    if number_of(lasts[i]) > standing.cursor then
      return true
    end
  end
  return false
end

-- commit ----------------------------------------------------------------------------------------

-- Takes the reply of an earlier commit off its record, if that was for the same request.
local function earlier_reply(kept, prefix)
  if string.sub(kept, 17, 16 + #prefix) ~= prefix then
    return { 'key-reused' }
  end
  return { 'replayed', string.sub(kept, 1, 16), string.sub(kept, 17 + #prefix) }
end

-- The place of the first check that fails, or nil.
local function first_stale(keys, take)
  for place = 0, take() - 1 do
    local kind, key, expected = take(), keys[take()], take()
    local found
    if kind == 'R' then
      found = redis.call('GETRANGE', key, 0, 15)
    elseif kind == 'S' then
      found = redis.call('HGET', key, '') or '0'
    elseif kind == 'L' then
      found = life()
    else
      found = redis.call('HEXISTS', key, expected) == 0 and expected
    end
    if found ~= expected then
      return place
    end
  end
end

-- Reads every counter that the guards and writes speak of, at once for each group.
local function live_counters(keys, take, take_many)
  local groups = {}
  for _ = 1, take() do
    local place, fields, group = take(), take_many(take()), {}
    for i, value in ipairs(redis.call('HMGET', keys[place], unpack(fields))) do
      group[fields[i]] = number_of(value)
    end
    groups[place] = group
  end
  return groups
end

local function sum(live, take)
  local total, terms = take(), take()
  for _ = 1, terms do
    local quantity, value = take(), live[take()][take()]
    if quantity ~= '' then
      value = math.max(0, exact(quantity - value))
    end
    total = exact(total + exact(take() * value))
  end
  return total
end

-- The place of the first guard that fails, or nil.
local function first_failing_guard(live, take)
  for place = 0, take() - 1 do
    local reached = sum(live, take)
    local sums = take() -- -1: a fixed floor follows
    local floor = sums < 0 and take() or 0
    for _ = 1, sums do
      floor = math.min(floor, sum(live, take))
    end
    if reached < floor then
      return place
    end
  end
end

-- Calculates the counters after the commit: for each group, a flat list of fields and values.
local function changed_counters(live, take)
  local changed, order = {}, {}
  for _ = 1, take() do
    local place, field = take(), take()
    local group = live[place]
    group[field] = exact(group[field] + take())
    if not changed[place] then
      changed[place] = {}
      order[#order + 1] = place
    end
    changed[place][field] = true
  end
  local out = {}
  for i, place in ipairs(order) do
    local values = {}
    for field in pairs(changed[place]) do
      append(values, { field, text(live[place][field]) })
    end
    out[i] = { place, values }
  end
  return out
end

-- A mark is its token, and `;correlation,event,by` for each cause; Rust has escaped the parts. The
-- token is the version and how many causes there are: counting them in a long mark costs more than
-- all the rest of a commit.
local function mark(key, item, version, correlation, event, by)
  local kept = redis.call('HGET', key, item) or ''
  local count = tonumber(string.match(kept, '^%d+%.(%d+)')) or 0
  local first = string.find(kept, ';', 1, true)
  local causes = first and string.sub(kept, first) or ''
  if count < @MAX_MARK_CAUSES@ and not string.find(causes, ';' .. correlation .. ',', 1, true) then
    causes = causes .. ';' .. correlation .. ',' .. event .. ',' .. by
    count = count + 1
  end
  redis.call('HSET', key, item, version .. '.' .. text(count) .. causes)
end

local function unmark(key, item, token)
  local found = redis.call('HGET', key, item)
  if found and string.match(found, '^[^;]*') == token then
    redis.call('HDEL', key, item)
  end
end

-- The writes, in the order given. Version is a number.
local function write(keys, version, correlation, event, by, take)
  local token, padded, versioned = text(version), string.format('%016.0f', version), {}
  for _ = 1, take() do
    local kind, place, name = take(), take(), take()
    local key = keys[place]
    if kind == 'P' then
      redis.call('SET', key, padded .. name)
    elseif kind == 'X' then
      redis.call('DEL', key)
    elseif kind == 'M' then
      redis.call('HSET', key, '', token, name, take())
    elseif kind == 'D' then
      redis.call('HDEL', key, name)
      redis.call('HSET', key, '', token)
    elseif kind == 'I' then
      redis.call('ZADD', key, take(), name)
    elseif kind == 'U' then
      redis.call('ZREM', key, name)
    else
      mark(key, name, token, correlation, event, by)
    end
  end
end

-- Notes the last event of each type, and appends the events.
local function tell(keys, version, take)
  local types = {}
  for _ = 1, take() do
    append(types, { take(), text(version + take()) })
  end
  if #types > 0 then
    redis.call('HSET', keys[TYPES], unpack(types))
  end
  for offset = 1, take() do
    local id = text(version + offset) .. '-0'
    redis.call('XADD', keys[STREAM], id, 'type', take(), 'event', take())
  end
end

-- Nudges whoever was caught up and is behind now, and the domain itself when a first item waits.
-- `offsets` are those of the last event for each reacting domain; the first standing is our own.
local function nudge(keys, channel, domain, tenant, standing, offsets, version, moved, first_mark)
  local lasts = {}
  for i, offset in ipairs(offsets) do
    local reactor, last = standing[i + 1], version + offset
    append(lasts, { reactor.name, text(last) })
    local cursor = reactor.name == domain and moved ~= '' and tonumber(moved) or reactor.cursor
    if reactor.last <= reactor.cursor and last > cursor then
      first_mark = first_mark and reactor.name ~= domain
      redis.call('PUBLISH', channel .. reactor.name, tenant)
    end
  end
  if #lasts > 0 then
    redis.call('HSET', keys[LAST], unpack(lasts))
  end
  if first_mark then
    redis.call('PUBLISH', channel .. domain, tenant)
  end
end

-- Everything that can refuse a commit, in the order of the contract: a reply; or nil, the live
-- counters, the sequence, and where the domain and those that react stand.
local function refusal(keys, names, take, take_many)
  local prefix = take()
  local kept = prefix ~= '' and redis.call('GET', keys[REPLY])
  if kept then
    return earlier_reply(kept, prefix)
  end
  local sequence = redis.call('GET', keys[SEQUENCE])
  if take() == '0' and not sequence then
    return { 'new-tenant' }
  end
  local standing, expected = standings(keys, names), take()
  if expected ~= '' and standing[1].cursor ~= tonumber(expected) then
    return { 'cursor-moved' }
  end
  if is_behind(keys, names[1], standing[1], take, take_many) then
    return { 'behind' }
  end
  local stale = first_stale(keys, take)
  if stale then
    return { 'stale', text(stale) }
  end
  local groups = take_many(take())
  local live = live_counters(keys, take, take_many)
  local failing = first_failing_guard(live, take)
  if failing then
    local out = { 'guarded', text(failing) }
    for _, place in ipairs(groups) do
      append_counted(out, redis.call('HGETALL', keys[place]))
    end
    return out
  end
  return nil, live, number_of(sequence), standing
end

local function commit(keys, args)
  local take, take_many = walker(args)
  local tenant, channel, reacting = take(), take(), take()
  local names, offsets = take_many(reacting + 1), take_many(reacting)
  local domain = names[1]
  local refused, live, sequence, standing = refusal(keys, names, take, take_many)
  if refused then
    return refused
  end
  local counters = changed_counters(live, take)
  local first_mark = take() == '1' and redis.call('EXISTS', keys[MARKS]) == 0
  local version, events = sequence + 1, take()
  exact(version + events)

  -- From here on everything is written.
  redis.call('SET', keys[SEQUENCE], text(version + events))
  local moved, item, token = take(), take(), take()
  if token ~= '' then
    unmark(keys[MARKS], item, token)
  end
  local first_event = events > 0 and 'ev_' .. text(version + 1) or ''
  local correlation, by = take(), take()
  write(keys, version, correlation, first_event, by, take)
  for _, group in ipairs(counters) do
    redis.call('HSET', keys[group[1]], unpack(group[2]))
  end
  tell(keys, version, take)
  if moved ~= '' then
    redis.call('HSET', keys[CURSORS], domain, moved)
  end
  local keep, reply = take(), take()
  if keep ~= '' then
    redis.call('SET', keys[REPLY], string.format('%016.0f', version) .. reply, 'EX', keep)
  end
  nudge(keys, channel, domain, tenant, standing, offsets, version, moved, first_mark)
  return { 'done', text(version) }
end
