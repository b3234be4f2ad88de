-- status: one resource.
-- keys: pool notes
-- args: resource
-- returns: nil for a stranger; else [state(free|leased|quarantined|expired), ttl_ms(-1: permanent, -2: none), expiry(Unix seconds or -1), fence or 0, owner]
-- include: pool/entry.lua
-- include: pool/note.lua
K_notes = KEYS[2]

local function state_of(resource, value, ttl_ms)
    if value == UNHEALTHY then
        return "quarantined"
    elseif ttl_ms ~= -2 then
        return "leased"
    elseif prev_of[resource] == ALLOCATED or is_past(expiry_of[resource]) then
        return "expired"
    end
    return "free"
end

local function run()
    local resource = ARGV[1]
    local prev = entry_of(resource)
    if prev == ABSENT then
        return false
    elseif prev == MALFORMED then
        return refusal(broken("the entry makes no sense:", resource))
    end
    local value = lease_values({ resource })[1] or ""
    local ttl_ms = call("PTTL", lease_key(resource))
    local token, owner = note_split(call("HGET", K_notes, resource))
    return {
        state_of(resource, value, ttl_ms), ttl_ms, tonumber(expiry_of[resource]), fence_of(value),
        token == value and owner or "",
    }
end

return run()
