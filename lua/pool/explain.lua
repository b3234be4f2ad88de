-- explain: why a MALLOC would not get one now: what is free, who holds what for how long, who waits.
-- keys: pool leases notes waiters waiting aside journal held
-- args: count(of leases and waiters that are told)
-- returns: [free, leased, waiters, [resource, owner, ttl_ms(-1: permanent)]... as one list, [how, count, owner, waited_ms, expected_ms(-1: not known), priority, labels that it wants(separated by \1)]... as one list, how many are aside, paused(1|0)]
-- include: pool/eta.lua
-- include: pool/fair.lua
-- include: pool/note.lua
-- include: pool/slot.lua
-- include: pool/rule.lua
key.index, key.notes, key.waiters, key.waiting = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
key.aside, key.journal, key.held = KEYS[6], KEYS[7], KEYS[8]

-- Those that end next.
local function leases(count)
    local reply = {}
    local all = redis.call("ZRANGEBYSCORE", key.index, "(" .. plain(clock()), "+inf",
        "WITHSCORES", "LIMIT", 0, count)
    for i = 1, #all, 2 do
        local resource, deadline, n = all[i], all[i + 1], #reply
        local token, owner = note.split(redis.call("HGET", key.notes, resource))
        local value = key.values({ resource })[1]
        if key.is_token(value) or not value then -- else nobody has it
            reply[n + 1] = slot.split(resource)
            reply[n + 2] = value == token and owner or ""
            reply[n + 3] = deadline == "inf" and -1 or tonumber(deadline) - clock()
        end
    end
    return reply
end

local function waiters(count)
    local reply = {}
    for _, one in ipairs(eta.line(count, fair.is_kept() and fair.line(count) or nil)) do
        local n = #reply
        reply[n + 1], reply[n + 2], reply[n + 3] = one.how, one.count, one.owner
        reply[n + 4] = math.max(clock() - one.came_ms, 0)
        reply[n + 5], reply[n + 6] = one.ms, one.priority
        reply[n + 7] = one.where
    end
    return reply
end

local function run()
    local count = tonumber(ARGV[1])
    read_rules()
    local free, total = eta.free()
    local aside = redis.call("ZCOUNT", key.aside, "-inf", "(10")
    return {
        free, total - free - aside, redis.call("ZCARD", key.waiters), leases(count),
        waiters(count), aside, rule.paused or 0,
    }
end

return run()
