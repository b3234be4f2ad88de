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
    MANY_OWNERS = 100, -- of those in the line, who wait longest; others come when none of these can be served
    MOST_LATER = wait.WIDTH / 4, -- ms that an owner is put back at most: places of one priority stay together
    turns = key.base .. "|pool|turns",
    owners = key.base .. "|pool|owners",
    candidates = {}, -- owners whose line is being looked at, since fair.start()
    is_known = {}, -- owner -> is it one?
    last = nil, -- the one that was the best
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

-- The first turn of an owner behind this one (nil: of all), its place, its id; nil: there is none.
local function next_turn(owner, after)
    local from = after and "(" .. after or "[" .. owner .. "\0"
    local to = "(" .. owner .. "\1"
    local found = redis.call("ZRANGEBYLEX", fair.turns, from, to, "LIMIT", 0, 1)[1]
    if found then
        local place, id = string.match(found, "%z(%d+)%z(%Z*)$")
        return found, tonumber(place) - 1000 * wait.WIDTH, id
    end
    return nil
end

local function note_first(owner)
    local _, place = next_turn(owner)
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
    for _, reply in ipairs({ count, known, owners, redis.pcall("ZCARD", key.held),
        redis.pcall("ZCARD", key.index), redis.pcall("ZCARD", key.aside) }) do
        if is_error(reply) then
            return nil
        end
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
local function time_of(candidate)
    local later = candidate.held * rule.fair_age / weight_of(candidate.owner)
    return candidate.place and candidate.place + math.min(later, fair.MOST_LATER)
end

-- Looks at the owner's next, behind the one that was looked at.
local function look(candidate)
    candidate.turn, candidate.place, candidate.id = next_turn(candidate.owner, candidate.turn)
    candidate.at = time_of(candidate)
end

-- Those of a page of the owners that are not known yet. Whether there was anything on the page.
local function add_owners(from)
    local last = from + fair.MANY_OWNERS - 1
    local owners = redis.call("ZRANGE", fair.owners, from, last, "WITHSCORES")
    for i = 1, #owners, 2 do
        local owner = owners[i]
        if not fair.is_known[owner] then
            local candidate = {
                owner = owner, held = count_held(owner), place = tonumber(owners[i + 1]),
            }
            candidate.at = time_of(candidate)
            fair.is_known[owner] = true
            fair.candidates[#fair.candidates + 1] = candidate
        end
    end
    return #owners > 0
end

-- From here on all of the line are looked at again.
function fair.start()
    fair.candidates, fair.is_known, fair.last = {}, {}, nil
    add_owners(0)
end

-- The candidate whose turn is first, when it has been looked at.
local function first_of_all()
    local first
    repeat
        first = nil
        for _, candidate in ipairs(fair.candidates) do
            if candidate.at and (not first or candidate.at < first.at) then
                first = candidate
            end
        end
        local is_new = first and first.id and not wait.has_left[first.id]
        if first and not is_new then
            look(first)
        end
    until not first or is_new
    return first
end

-- The id of who comes first of those that have not been given since fair.start(); nil: nobody.
local function best()
    local from = 0
    fair.last = first_of_all()
    while not fair.last and add_owners(from) do
        from = from + fair.MANY_OWNERS
        fair.last = first_of_all()
    end
    return fair.last and fair.last.id
end

-- It was served, or is gone: then it is in no line, though its record may have been deleted.
local function note_left(candidate)
    if redis.call("ZREM", fair.turns, candidate.turn) == 1 then
        note_first(candidate.owner)
    end
    if wait.was_granted[candidate.id] then
        local is_counted = candidate.owner ~= ""
        candidate.held = is_counted and count_held(candidate.owner) or candidate.held + 1
    end
end

-- As the line asks for it: who comes next, after the one before has been served, or passed over.
function fair.next()
    local last = fair.last
    if last and wait.has_left[last.id] then
        note_left(last)
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
            last.held = last.held + 1
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
