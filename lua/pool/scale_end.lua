-- scale_end: how a run ended. Larger: what it named comes into the pool, as far as there is room.
-- Smaller: what went leaves the pool; when it failed it is free again. The same again does nothing.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons scaling scale aside traits order units
-- args: run what(u|d) error("": it went well) cooldown_ms longest_ms(of the waits after failures) max_size(0: none) resource...
-- returns: [how many came or went, error, ms until the next may run]
-- include: pool/capacity.lua
-- include: pool/scale.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.scaling, key.scale = KEYS[15], KEYS[16]
key.aside, key.traits, key.order, key.units = KEYS[17], KEYS[18], KEYS[19], KEYS[20]
local this_run, what, why = ARGV[1], ARGV[2], ARGV[3]
local cooldown_ms, longest_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local LEAST_MS = 1000 -- of the waits after failures
local NOTHING_SAID = { expiry = "-1" } -- of what comes in

local function names()
    local list_, seen = {}, {}
    for i = 7, #ARGV do
        if not seen[ARGV[i]] then
            seen[ARGV[i]] = true
            list_[#list_ + 1] = ARGV[i]
        end
    end
    return list_
end

-- The new ones, as many as there is room for. A fault as the second.
local function grow(resources)
    local added, max_size = {}, tonumber(ARGV[6])
    entry.read(resources)
    local refused = capacity.open(resources, NOTHING_SAID)
    if refused then
        return 0, refused.err
    end
    local size = redis.call("HLEN", slot.is_used and key.units or key.pool)
    local room = max_size > 0 and max_size - size or math.huge
    for i = 1, #resources do
        local is_new = prev_of[resources[i]] == ABSENT
        if slot.is_used then
            is_new = not slot.of(resources[i])
        end
        if is_new and #added < room then
            added[#added + 1] = resources[i]
        end
    end
    return #added, capacity.bring(added, NOTHING_SAID)
end

-- What somebody has leased meanwhile, because all this took too long, has gone nevertheless.
local function shrink(resources)
    local gone, count = slot.entries(resources)
    return count, member.remove(gone)
end

local function bring_back(resources)
    local fault = list.push_fault()
    for _, name in ipairs(fault and {} or slot.entries(resources)) do
        scale.bring_back(name)
    end
    return 0, fault
end

local function change(resources)
    list.open()
    if what == "u" then
        return grow(resources)
    elseif why == "" then
        return shrink(resources)
    end
    return bring_back(resources)
end

-- In how many ms the next may run.
local function note_end(count)
    local fails, wait_ms = 0, cooldown_ms
    if why ~= "" then
        fails = (tonumber(redis.call("HGET", key.scale, what .. "_fails")) or 0) + 1
        wait_ms = math.max(wait_ms, LEAST_MS) * 2 ^ math.min(fails - 1, 30)
        wait_ms = math.min(wait_ms, math.max(longest_ms, cooldown_ms))
    end
    local next_ms = plain(clock() + wait_ms)
    redis.call("HDEL", key.scale, "run")
    redis.call("HSET", key.scale, "ended", this_run, "what", what, "count", count, "error", why,
        what .. "_fails", fails, what .. "_next", next_ms)
    if fails == 0 then -- one way and back again at once would be a waste
        redis.call("HSET", key.scale, (what == "u" and "d" or "u") .. "_next", next_ms)
    end
    if redis.call("GET", key.scaling) == this_run then
        redis.call("DEL", key.scaling)
    end
    return wait_ms
end

local function run()
    if redis.call("HGET", key.scale, "ended") == this_run then
        local state = redis.call("HMGET", key.scale, "count", "error", what .. "_next")
        local next_ms = (tonumber(state[3]) or 0) - clock()
        return { tonumber(state[1]) or 0, state[2] or "", math.max(next_ms, 0) }
    end
    local count, fault = change(names())
    if fault then
        return refusal(fault)
    elseif what == "u" and why == "" and count == 0 then
        why = "it named no resource that is new"
    end
    list.write()
    index.write()
    local wait_ms = note_end(count)
    serve.finish()
    return { count, why, wait_ms }
end

return run()
