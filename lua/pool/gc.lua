-- gc: one collection: what is due by the index, then a sweep over some entries for what others (the
-- Python library, a person) have left behind.
-- keys: pool head tail gc_cursor leases departed journal held notes requests bindings leader waiters waiting granted daemons aside traits order units
-- args: daemon("": whoever asks leads) leader_ms limit count(0: no sweep)
-- returns: [leads(1|0), scanned, reclaimed, expired, repaired, broken(1|0), more(1: due ones are left), total, next_deadline_ms(-1: none), leader_ttl_ms(-2: no leader), rules, how many are to be cleaned and nobody's(if any)]
-- include: pool/serve.lua
key.gc_cursor, key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
key.held, key.notes, key.requests = KEYS[8], KEYS[9], KEYS[10]
key.bindings, key.leader = KEYS[11], KEYS[12]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[13], KEYS[14], KEYS[15], KEYS[16]
key.aside, key.traits, key.order, key.units = KEYS[17], KEYS[18], KEYS[19], KEYS[20]

-- A daemon that has granted nothing for so long has no lost batch any more.
local JOURNAL_MS = 7 * 24 * 3600 * 1000

local scanned, reclaimed, expired, repaired, is_broken = 0, 0, 0, 0, false

-- Does this daemon lead the pool, from now for leader_ms? Without memory for the key it does: two at
-- a time are only waste. Another error is the second result.
local function leads(daemon, leader_ms)
    if daemon == "" then
        return true
    end
    local leader = redis.call("GET", key.leader)
    if leader == daemon then
        redis.call("PEXPIRE", key.leader, leader_ms)
    elseif not leader then
        local reply = redis.pcall("SET", key.leader, daemon, "PX", leader_ms)
        if is_error(reply) and not string.find(reply.err, "OOM", 1, true) then
            return false, reply
        end
    end
    return not leader or leader == daemon
end

-- Looks at names that have departed: their leases may have ended, or they are in the pool again.
local function tend_departed(names)
    entry.read(names)
    local locked, gone = key.locked(names), {}
    for i = 1, #names do
        if prev_of[names[i]] ~= ABSENT then
            index.returned[#index.returned + 1] = names[i]
        else
            index.as_it_is(names[i])
            if not locked[names[i]] then
                gone[#gone + 1] = names[i]
            end
        end
    end
    note.forget(gone)
end

local function collect_due(limit)
    local _, free, gone, fault = index.reclaim(limit)
    reclaimed, expired = free, gone
    is_broken = fault ~= nil
    tend_departed(
        redis.call("ZRANGEBYSCORE", key.departed, "-inf", clock(), "LIMIT", 0, limit))
end

-- The next entries of the hash; from its start when the cursor makes no sense. Also whether the pass
-- is complete.
local function scan(count)
    local stored = redis.pcall("GET", key.gc_cursor)
    local cursor = type(stored) == "string" and string.match(stored, "^%d+$") or "0"
    local page = redis.pcall("HSCAN", key.pool, cursor, "COUNT", count)
    if is_error(page) then
        page = redis.call("HSCAN", key.pool, "0", "COUNT", count)
    end
    if page[1] ~= (stored or "0") then
        redis.call("SET", key.gc_cursor, page[1])
    end
    return page[2], page[1] == "0"
end

-- An entry without a lease key.
local function sweep_unlocked(name, prev)
    if prev == ALLOCATED then
        if list.push_fault() then
            is_broken = true
        else
            local place = list.take_back(name, expiry_of[name])
            reclaimed = reclaimed + (place == "free" and 1 or 0)
            expired = expired + (place == "gone" and 1 or 0)
        end
    elseif entry.is_past(expiry_of[name]) then
        if list.unlink_fault(name) then
            is_broken = true
        else
            list.allocate(name)
            list.remove(name)
            expired = expired + 1
        end
    elseif list.unlink_fault(name) then -- MALLOC finds no fault in an entry that it cannot reach
        is_broken = true
    end
end

-- An entry with a lease key: it must be outside of the list and in the index; what a Python program
-- has found ill is aside, what has a lease is not.
local function sweep_locked(name, prev, is_indexed, value)
    local kind, is_pending = aside.kind_of(name)
    if value == key.UNHEALTHY and (not kind or is_pending) then
        aside.adopt(name)
    elseif key.is_token(value) and kind and not is_pending then
        aside.forget(name)
    end
    if prev ~= ALLOCATED then
        if list.unlink_fault(name) then
            is_broken = true
            return
        end
        list.allocate(name)
        repaired = repaired + 1
    end
    if not is_indexed then
        index.as_it_is(name)
    end
end

-- Notes whose lease has ended or was taken over.
local function sweep_notes(names, values)
    local notes = redis.pcall("HMGET", key.notes, unpack(names))
    local stale = {}
    for i = 1, is_error(notes) and 0 or #names do
        if notes[i] and note.split(notes[i]) ~= values[i] then
            stale[#stale + 1] = names[i]
        end
    end
    note.forget(stale)
end

-- A mark of something that is in the list: a Python program has put it there.
local function sweep_mark(name)
    local kind, is_pending = aside.kind_of(name)
    if not kind or prev_of[name] == ALLOCATED then
        return
    elseif is_pending and entry.is_free(prev_of[name]) and not list.unlink_fault(name) then
        list.allocate(name)
        list.take_back(name, expiry_of[name])
    else
        aside.forget(name)
    end
end

-- At most CHUNK names.
local function sweep(names)
    local locked = key.locked(names)
    local scores, values = redis.call("ZMSCORE", key.index, unpack(names)), key.values(names)
    list.read_neighbours(names)
    for i = 1, #names do
        local name = names[i]
        local prev = entry.of(name)
        if prev == MALFORMED or not entry.is_fit(name) then
            is_broken = true
        elseif prev and locked[name] then
            sweep_locked(name, prev, scores[i], values[i])
        elseif prev then -- HSCAN may name what is gone already
            sweep_unlocked(name, prev)
            sweep_mark(name)
            if scores[i] and prev_of[name] ~= ALLOCATED then
                index.set(name, false)
            end
        end
    end
    repaired = repaired + place.tend(names)
    sweep_notes(names, values)
    label.mend(names)
end

-- The next names of a part of the index, or of another key; `field` of the journal is the cursor.
local function scan_names(command, part, field, count)
    local cursor = redis.call("HGET", key.journal, field) or "0"
    local page = redis.pcall(command, part, cursor, "COUNT", count)
    if is_error(page) then
        page = redis.call(command, part, "0", "COUNT", count)
    end
    if page[1] ~= cursor then
        redis.call("HSET", key.journal, field, page[1])
    end
    local names = {}
    for i = 1, #page[2], 2 do
        names[#names + 1] = page[2][i]
    end
    return names
end

-- Strangers in the index: no entry of the hash leads to them.
local function sweep_index(count)
    local names, strangers = scan_names("ZSCAN", key.index, "index_cursor", count), {}
    entry.read(names)
    for i = 1, #names do
        if prev_of[names[i]] == ABSENT then
            strangers[#strangers + 1] = names[i]
        end
    end
    tend_departed(strangers)
    tend_departed(scan_names("ZSCAN", key.departed, "departed_cursor", count))
end

-- What is no more free, in a pool with an order of its own.
local function sweep_order(count)
    if place.kind() then
        place.drop(scan_names("ZSCAN", key.order, "order_cursor", count))
    end
end

-- Journals of daemons that are no more.
local function sweep_journal()
    local all, oldest = redis.call("HGETALL", key.journal), clock() - JOURNAL_MS
    for i = 1, #all, 2 do
        local at = string.match(all[i + 1], "^%d+%z(%d+)")
        if at and tonumber(at) < oldest then
            redis.call("HDEL", key.journal, all[i])
        end
    end
end

local function sweep_some(count)
    local page, is_complete = scan(count)
    for from = 1, #page, 2 * CHUNK do
        local names = {}
        for i = from, math.min(from + 2 * CHUNK - 1, #page), 2 do
            if prev_of[page[i]] == nil then -- else this collection has changed it already
                entry.keep(page[i], page[i + 1])
            end
            names[#names + 1] = page[i]
        end
        sweep(names)
    end
    scanned = #page / 2
    is_broken = is_broken or list.push_fault() ~= nil -- no entry leads to an end that is none
    sweep_index(count)
    sweep_order(count)
    if label.are_used() then
        label.sweep(scan_names("HSCAN", label.all, "labels_cursor", 10))
    end
    if is_complete then
        sweep_journal()
    end
end

-- Redis keeps what has few entries as a list, in which each look is a walk. One entry too long for
-- that makes it a table, for as long as the key lives.
local FEW, TOO_LONG = 16, string.rep("+", 65)
local function make_tables()
    local list_like = { listpack = true, ziplist = true }
    if redis.call("HLEN", key.pool) > FEW
        and list_like[redis.call("OBJECT", "ENCODING", key.pool)] then
        redis.call("HSET", key.pool, TOO_LONG, "")
        redis.call("HDEL", key.pool, TOO_LONG)
    end
    if redis.call("ZCARD", key.index) > FEW
        and list_like[redis.call("OBJECT", "ENCODING", key.index)] then
        redis.call("ZADD", key.index, 0, TOO_LONG)
        redis.call("ZREM", key.index, TOO_LONG)
    end
end

local function end_orphans()
    if not wait.open() then
        serve.end_orphans()
        index.write()
        list.write()
    end
end

-- The first of both parts of the index, -1 without any.
local function first_deadline()
    local first = math.huge
    for _, part in ipairs({ key.index, key.departed }) do
        local score = redis.call("ZRANGE", part, 0, 0, "WITHSCORES")[2]
        first = math.min(first, score and score ~= "inf" and tonumber(score) or math.huge)
    end
    return first < math.huge and first or -1
end

-- The journal may have been deleted.
local function mark_units()
    if not slot.open() and redis.call("EXISTS", key.units) == 1 then
        redis.call("HSET", key.journal, "units", 1)
        slot.is_used = true
    end
end

local function run()
    -- Keys of another type are noticed before anything is written.
    redis.call("HLEN", key.pool)
    redis.call("ZCARD", key.index)
    redis.call("ZCARD", key.departed)
    redis.call("HLEN", key.journal)
    redis.call("HLEN", key.units)
    aside.open()
    local is_leading, refused = leads(ARGV[1], ARGV[2])
    if refused then
        return refused
    end
    if is_leading then
        -- Also the first write: after one that is never refused, nothing is for want of memory.
        redis.pcall("ZREMRANGEBYSCORE", key.bindings, "-inf", clock())
        mark_units()
        list.open()
        collect_due(tonumber(ARGV[3]))
        repaired = place.tend_tail()
        if tonumber(ARGV[4]) > 0 then
            sweep_some(tonumber(ARGV[4]))
        end
        index.write()
        list.write()
        make_tables()
        end_orphans()
        serve.finish()
    end
    local next_deadline = first_deadline()
    local to_clean =
        redis.call("ZCOUNT", key.aside, aside.CLEANING, "(" .. aside.CLEANING + 1)
    return {
        is_leading and 1 or 0, scanned, reclaimed, expired, repaired, is_broken and 1 or 0,
        next_deadline ~= -1 and next_deadline <= clock() and 1 or 0, redis.call("HLEN", key.pool),
        next_deadline, redis.call("PTTL", key.leader),
        redis.call("HGET", key.journal, "rules") or "", to_clean > 0 and to_clean or nil,
    }
end

return run()
