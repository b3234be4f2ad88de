-- fair: who of those that wait comes first in a pool where owners have shares (rule fair_age, in ms): who
-- came first, as if each resource that its owner holds had made it come fair_age later, divided by the
-- owner's weight (rule shares: "<owner>:<weight>,...", others have 1). Priorities go before that, and all
-- who gave no OWNER are one owner.
--   <base>|pool|turns   zset  <owner> NUL <place> NUL <id>, by bytes: each owner's own line
--   <base>|pool|owners  zset  who of them waits -> the place of its first
-- These two are named here alone: a daemon never asks for them. They are made anew when they do not fit
-- to the line: because the rule is new, or somebody deleted one of them.
-- Knows: the line, rules, what owners hold.  Must not know: what is free.
-- include: pool/key.lua
-- include: pool/rule.lua
-- include: wait.lua
local fair = {
    MOST_OWNERS = 100, -- of those in the line, who wait longest; others come when one of these is gone
    MOST_LATER = wait.WIDTH / 4, -- ms that an owner is put back at most: places of one priority stay together
    turns = key.base .. "|pool|turns",
    owners = key.base .. "|pool|owners",
    candidates = nil, -- the first of each owner that have not been looked at, since fair.start()
    last = nil, -- the candidate that was the best one
}

local function owner_in(record)
    local words = 0
    for word in string.gmatch((record or "") .. "\0", "(%Z*)%z") do
        words = words + 1
        if words == 11 then -- the group, then as serve has it
            return word
        end
    end
    return ""
end

-- Places can be below 0; as text they sort by bytes.
local function turn(owner, place, id)
    return string.format("%s\0%016.0f\0%s", owner, place + 1000 * wait.WIDTH, id)
end

local function place_in(turn_)
    local place, id = string.match(turn_, "%z(%d+)%z(%Z*)$")
    return tonumber(place) - 1000 * wait.WIDTH, id
end

-- An owner's n-th in the line, from 0 on: its place, its id; nil: there is none.
local function nth(owner, n)
    local found = redis.call("ZRANGEBYLEX", fair.turns, "[" .. owner .. "\0", "(" .. owner .. "\1",
        "LIMIT", n, 1)[1]
    if found then
        return place_in(found)
    end
    return nil
end

local function note_first(owner)
    local place = nth(owner, 0)
    if place then
        redis.call("ZADD", fair.owners, plain(place), owner)
    else
        redis.call("ZREM", fair.owners, owner)
    end
end

local function owners_of(ids)
    local owners = redis.call("HMGET", key.waiting, unpack(ids))
    for i = 1, #ids do
        owners[i] = owner_in(owners[i])
    end
    return owners
end

local function rebuild()
    redis.call("UNLINK", fair.turns, fair.owners)
    local all, seen = redis.call("ZRANGE", key.waiters, 0, -1, "WITHSCORES"), {}
    for from = 1, #all, CHUNK do
        local ids, turns, firsts = {}, {}, {}
        for i = from, math.min(from + CHUNK, #all + 1) - 1, 2 do
            ids[#ids + 1] = all[i]
        end
        for i, owner in ipairs(owners_of(ids)) do
            local place = tonumber(all[from + 2 * i - 1])
            turns[2 * i - 1], turns[2 * i] = 0, turn(owner, place, ids[i])
            if not seen[owner] then
                seen[owner] = true
                firsts[#firsts + 1], firsts[#firsts + 2] = plain(place), owner
            end
        end
        redis.call("ZADD", fair.turns, unpack(turns))
        call_each("ZADD", fair.owners, firsts)
    end
end

-- Has it a place in the line? The line calls these two.
function fair.entered(id, place, record)
    local owner = owner_in(record)
    redis.call("ZADD", fair.turns, 0, turn(owner, place, id))
    note_first(owner)
end

function fair.leaving(ids)
    for i, owner in ipairs(#ids > 0 and owners_of(ids) or {}) do
        local place = redis.call("ZSCORE", key.waiters, ids[i])
        if place then
            redis.call("ZREM", fair.turns, turn(owner, tonumber(place), ids[i]))
            note_first(owner)
        end
    end
end

-- Is everybody in the owners' lines? Nil where a key is of another type: all wait as without the rule.
-- The rules have been read.
function fair.is_kept()
    if not rule.fair_age then
        return nil
    end
    local count, known = redis.pcall("ZCARD", key.waiters), redis.pcall("ZCARD", fair.turns)
    local owners = redis.pcall("ZCARD", fair.owners)
    if is_error(count) or is_error(known) or is_error(owners) then
        return nil
    end
    return count == known and (count > 0) == (owners > 0)
end

-- Before anybody enters or leaves the line.
function fair.open()
    if wait.order then
        return
    end
    local is_kept = fair.is_kept()
    if is_kept == false then
        rebuild()
    end
    wait.order = is_kept ~= nil and fair or nil
end

-- The rule has come or is gone: what is known is of another time.
function fair.forget()
    redis.call("UNLINK", fair.turns, fair.owners)
end

local function weight_of(owner)
    if not fair.weights then
        fair.weights = {}
        for name, weight in string.gmatch(rule.shares or "", "([^:,]+):(%d+)") do
            fair.weights[name] = tonumber(weight)
        end
    end
    return fair.weights[owner] or 1
end

-- How much it holds. What has an owner is in `held`; of the rest nobody knows who has it.
local function count_held(owner)
    if owner ~= "" then
        return redis.call("ZLEXCOUNT", key.held, "[" .. owner .. "\0", "(" .. owner .. "\1")
    end
    local leased = redis.call("ZCARD", key.index) - redis.call("ZCOUNT", key.aside, "-inf", "(10")
    return math.max(leased - redis.call("ZCARD", key.held), 0)
end

-- When it is the candidate's turn; nil: its owner has no more in the line.
local function turn_of(candidate)
    local later = candidate.held * rule.fair_age / weight_of(candidate.owner)
    return candidate.place and candidate.place + math.min(later, fair.MOST_LATER)
end

-- Looks at the owner's next.
local function look(candidate)
    candidate.place, candidate.id = nth(candidate.owner, candidate.passed)
    candidate.at = turn_of(candidate)
end

-- From here on all of the line are looked at again.
function fair.start()
    local owners = redis.call("ZRANGE", fair.owners, 0, fair.MOST_OWNERS - 1, "WITHSCORES")
    fair.candidates, fair.last = {}, nil
    for i = 1, #owners, 2 do
        local candidate = {
            owner = owners[i], held = count_held(owners[i]), passed = 0,
            place = tonumber(owners[i + 1]),
        }
        candidate.at = turn_of(candidate)
        fair.candidates[#fair.candidates + 1] = candidate
    end
end

-- The id of who comes first of those that have not been given since fair.start(); nil: nobody.
local function best()
    local first
    repeat
        first = nil
        for _, candidate in ipairs(fair.candidates) do
            if candidate.at and (not first or candidate.at < first.at) then
                first = candidate
            end
        end
        if first and not first.id then
            look(first)
        end
    until not first or first.id
    fair.last = first
    return first and first.id
end

-- As the line asks for it: who comes next, after the one before has been served, or passed over.
function fair.next()
    local last = fair.last
    if last and wait.has_left[last.id] then
        last.held = last.owner ~= "" and count_held(last.owner) or last.held + 1
    elseif last then
        last.passed = last.passed + 1
    end
    if last then
        look(last)
    end
    return best()
end

-- The first `limit` of the line, if nobody gives anything back and each gets one.
function fair.line(limit)
    local ids = {}
    fair.start()
    while #ids < limit do
        local last = fair.last
        if last then
            last.held, last.passed = last.held + 1, last.passed + 1
            look(last)
        end
        local id = best()
        if not id then
            break
        end
        ids[#ids + 1] = id
    end
    return ids
end
