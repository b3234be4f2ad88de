-- status: one resource.
-- keys: pool notes
-- args: resource
-- returns: nil for a stranger; else [state(free|leased|quarantined|expired), ttl_ms(-1: permanent, -2: none), expiry(Unix seconds or -1), fence or 0, owner]
-- include: pool/entry.lua
-- include: pool/note.lua
key.notes = KEYS[2]

local function state_of(resource, value, ttl_ms)
    if value == key.UNHEALTHY then
        return "quarantined"
    elseif ttl_ms ~= -2 then
        return "leased"
    elseif prev_of[resource] == ALLOCATED or entry.is_past(expiry_of[resource]) then
        return "expired"
    end
    return "free"
end

local function run()
    local resource = ARGV[1]
    local prev = entry.of(resource)
    if prev == ABSENT then
        return false
    elseif prev == MALFORMED then
        return refusal(broken("the entry makes no sense:", resource))
    end
    local value = key.values({ resource })[1] or ""
    local ttl_ms = redis.call("PTTL", key.lease(resource))
    local token, owner = note.split(redis.call("HGET", key.notes, resource))
    local expiry = tonumber(expiry_of[resource])
    return {
        state_of(resource, value, ttl_ms), ttl_ms, expiry, key.fence_of(value),
        token == value and owner or "",
    }
end

return run()
