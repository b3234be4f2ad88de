-- wait: the line of those who wait for something of a key group, over all daemons.
--   waiters: id -> place = ticket - priority * wait.WIDTH; id is "<daemon>:<number>", the ticket is in
--     ms since the epoch, grows in the order of coming and is unique among those of one priority
--   waiting[id] = group NUL request;  waiting[NUL group] = id NUL id ...: they are one request
--   granted[id] = what it was granted, until its daemon fetches it; where nothing is granted before it
--     is asked for again there is no such key
--   daemons[daemon] = "<ms of its last sign of life> <epoch> <does it hear? 1|0>": who is missing has
--     nobody in the line
-- A daemon that has given no sign of life for LIVENESS_MS is dead: who waits there is passed over and
-- forgotten, and so is its epoch. One that was only slow sees another epoch and asks for each of its
-- waiters again, with the ticket that it had: it finds the old place. One that said that it hears and
-- to whose channel nobody listens is absent, most likely dead: who waits there is passed over.
-- Knows: Redis.  Must not know: what is waited for.
-- Whoever includes it has a table `key` before, and sets key.waiters, key.waiting, key.granted,
-- key.daemons, and key.wake: what a daemon's id makes the channel on which it hears of grants.
-- include: prelude.lua
local wait = {
    LIVENESS_MS = 3000,
    WIDTH = 4e12, -- more than a ticket; times the largest priority, 1000, it is exact in a double
    MOST_DEAD = 5000, -- forgotten or passed over in one script
    order = nil, -- who comes first, where that is not who has the lowest place: next, entered, leaving
    is_open = false, -- has the line been counted?
    count = 0, -- of the line
    dead = 0, -- forgotten or passed over in this script
    is_alive = {}, is_absent = {}, -- daemon -> is it?
    was_granted = {}, -- ids that were granted something in this script
    has_left = {}, -- ids that have left the line in this script
}

-- Counts the line. An error reply when a key is of another type. Whatever this daemon (nil: it is not
-- known which) asks is a sign of its life, if it has somebody in the line.
function wait.open(daemon)
    if wait.is_open then
        return nil
    end
    local count = redis.pcall("ZCARD", key.waiters)
    local fault, size = is_error(count) and count, 0
    for _, name in ipairs({ key.waiting, key.daemons, key.granted }) do
        local fields = redis.pcall("HLEN", name)
        fault = fault or is_error(fields) and fields
        size = fault and 0 or size + fields
    end
    if fault then
        return fault
    end
    wait.is_open, wait.count = true, count
    if count == 0 and size > 0 and not (key.granted and redis.call("HLEN", key.granted) > 0) then
        -- Nobody waits; who thinks that he does, because somebody deleted the line, asks again.
        redis.call("DEL", key.waiting, key.daemons)
    elseif daemon and redis.call("HEXISTS", key.daemons, daemon) == 1 then
        wait.beat(daemon)
    end
    return nil
end

function wait.daemon_of(id)
    return string.match(id, "^(.*):") or ""
end

-- Its last sign of life, and its record.
local function last_beat(daemon)
    local beat = redis.call("HGET", key.daemons, daemon)
    return tonumber(beat and string.match(beat, "^%d+") or 0), beat
end

function wait.lives(daemon)
    if wait.is_alive[daemon] == nil then
        local at, beat = last_beat(daemon)
        wait.is_alive[daemon] = math.abs(clock() - at) < wait.LIVENESS_MS
        if beat and not wait.is_alive[daemon] then
            redis.call("HDEL", key.daemons, daemon)
        end
    end
    return wait.is_alive[daemon]
end

-- Of one that lives.
function wait.lacks(daemon)
    if wait.is_absent[daemon] == nil then
        local _, beat = last_beat(daemon)
        local channel = key.wake .. daemon
        wait.is_absent[daemon] = beat and string.sub(beat, -2) == " 1"
            and redis.call("PUBSUB", "NUMSUB", channel)[2] == 0
    end
    return wait.is_absent[daemon]
end

-- A sign of life. hears: 1 or 0; nil: as it was. Returns the daemon's epoch.
function wait.beat(daemon, hears)
    local beat = redis.call("HGET", key.daemons, daemon) or ""
    local epoch, heard = string.match(beat, "^%d+ (%d+) ([01])$")
    clock()
    epoch = epoch or plain(now_us)
    redis.call("HSET", key.daemons, daemon,
        plain(now_ms) .. " " .. epoch .. " " .. (hears or heard or "0"))
    wait.is_alive[daemon] = true
    return epoch
end

-- The ticket of a place.
function wait.ticket_of(place)
    return place - math.floor(place / wait.WIDTH) * wait.WIDTH
end

-- One that is behind all others of a priority, whose places begin here.
local function new_ticket(from)
    local count = redis.call("ZCOUNT", key.waiters, "-inf", "(" .. plain(from + wait.WIDTH))
    local last = count > 0
        and redis.call("ZRANGE", key.waiters, count - 1, count - 1, "WITHSCORES")[2]
    return math.max(last and tonumber(last) - from + 1 or 0, clock())
end

-- Puts somebody into the line: behind all others of its priority (nil: 0), or with the ticket that it
-- had (0: none). Returns the ticket.
function wait.enter(id, ticket, group, request, priority)
    local from = -(priority or 0) * wait.WIDTH
    ticket = ticket > 0 and ticket or new_ticket(from)
    wait.count = wait.count + redis.call("ZADD", key.waiters, plain(from + ticket), id)
    redis.call("HSET", key.waiting, id, group .. "\0" .. request)
    if group ~= "" then
        local ids = redis.call("HGET", key.waiting, "\0" .. group)
        redis.call("HSET", key.waiting, "\0" .. group, ids and ids .. "\0" .. id or id)
    end
    wait.has_left[id] = nil
    if wait.order then
        wait.order.entered(id, from + ticket, group .. "\0" .. request)
    end
    return ticket
end

-- The others that wait for the same request.
function wait.group_of(id, group)
    local ids, others = group ~= "" and redis.call("HGET", key.waiting, "\0" .. group) or "", {}
    for other in string.gmatch(ids, "%Z+") do
        if other ~= id then
            others[#others + 1] = other
        end
    end
    return others
end

local function leave_group(id, group)
    local others = wait.group_of(id, group)
    if #others > 0 then
        redis.call("HSET", key.waiting, "\0" .. group, table.concat(others, "\0"))
    else
        redis.call("HDEL", key.waiting, "\0" .. group)
    end
end

-- Takes these out of the line; `records` are theirs, as far as they have any.
function wait.leave(ids, records)
    if wait.order then
        wait.order.leaving(ids)
    end
    call_each("HDEL", key.waiting, ids)
    for i = 1, #ids do
        local group = records[i] and string.match(records[i], "^%Z*") or ""
        if group ~= "" then
            leave_group(ids[i], group)
        end
        wait.has_left[ids[i]] = true
        wait.count = wait.count - redis.call("ZREM", key.waiters, ids[i])
    end
end

local function next_ids(from, count)
    if wait.order then
        return { wait.order.next() }
    end
    return redis.call("ZRANGE", key.waiters, from, from + count - 1)
end

-- Up to `count` living ones from this place of the line on (where it has an order of its own: one, after
-- the one that was read before): ids, groups, requests, and how many were passed over. Fewer than
-- `count`, but not none, does not say that there are no more.
function wait.read(from, count)
    local living, groups, requests, passed = {}, {}, {}, 0
    while #living == 0 and wait.dead < wait.MOST_DEAD do
        local ids = next_ids(from + passed, count)
        if #ids == 0 then
            break
        end
        local records = redis.call("HMGET", key.waiting, unpack(ids))
        local gone, gone_records, passed_before = {}, {}, passed
        for i = 1, #ids do
            local daemon = wait.daemon_of(ids[i])
            if not records[i] then -- somebody deleted it: its daemon is to ask for all again
                redis.call("HDEL", key.daemons, daemon)
                wait.is_alive[daemon] = false
            end
            if not wait.lives(daemon) then
                gone[#gone + 1], gone_records[#gone + 1] = ids[i], records[i]
            elseif wait.lacks(daemon) then
                passed = passed + 1
            else
                living[#living + 1] = ids[i]
                groups[#groups + 1], requests[#requests + 1] =
                    string.match(records[i], "^(%Z*)%z(.*)$")
            end
        end
        wait.leave(gone, gone_records)
        local missing = #gone + passed - passed_before
        wait.dead = wait.dead + missing
        count = math.max(count, math.min(missing * 2, 500)) -- where one is dead, others are
    end
    return living, groups, requests, passed
end

-- May there be somebody behind those that wait.read() has given?
function wait.is_cut_short()
    return wait.dead >= wait.MOST_DEAD and wait.count > 0
end

-- Its request has changed.
function wait.note(id, group, request)
    redis.call("HSET", key.waiting, id, group .. "\0" .. request)
end

-- Grants something to one of the line, and tells its daemon that there is something to fetch. Who
-- does not hear it will find it by its next beat.
function wait.grant(id, group, what)
    wait.leave({ id }, { group .. "\0" })
    wait.was_granted[id] = true
    redis.call("HSET", key.granted, id, what)
    redis.pcall("PUBLISH", key.wake .. wait.daemon_of(id), id)
end

-- Takes what was granted to it; false when nothing was.
function wait.fetch(id)
    local what = redis.call("HGET", key.granted, id)
    if what then
        redis.call("HDEL", key.granted, id)
    end
    return what
end

-- The ids of this daemon that have something to fetch, most of the time all of them.
function wait.grants_of(daemon)
    local ids = {}
    for _, id in ipairs(redis.call("HKEYS", key.granted)) do
        if wait.daemon_of(id) == daemon then
            ids[#ids + 1] = id
        end
    end
    return ids
end

-- In how many ms a daemon that has something to fetch will be dead, unless it gives a sign of life.
function wait.until_death(own)
    local ms = math.huge
    for _, id in ipairs(redis.call("HKEYS", key.granted)) do
        local daemon = wait.daemon_of(id)
        if daemon ~= own then
            ms = math.min(ms, last_beat(daemon) + wait.LIVENESS_MS - clock())
        end
    end
    return math.max(ms, 1)
end

-- What was granted to those who died before they could fetch it: taken out. The dead are forgotten.
function wait.orphans()
    local orphans = {}
    for _, daemon in ipairs(redis.call("HKEYS", key.daemons)) do
        wait.lives(daemon)
    end
    if redis.call("HLEN", key.granted) > 0 then
        for _, id in ipairs(redis.call("HKEYS", key.granted)) do
            if not wait.lives(wait.daemon_of(id)) then
                orphans[#orphans + 1] = wait.fetch(id)
            end
        end
    end
    return orphans
end
