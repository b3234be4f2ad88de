-- key: the names of lease keys, and what they hold.
-- Knows: the first key of its script, pool: <base>|pool.  Must not know: the free list.
-- include: prelude.lua
local K_pool = KEYS[1]
local base = sub(K_pool, 1, -6)
-- The value of a lease key that nobody holds: the resource is ill.
local UNHEALTHY = "#UNHEALTHY"

local function lease_key(resource)
    return base .. ":" .. resource
end

local function lease_keys(resources, from, to)
    local keys = {}
    for i = from, to do
        keys[#keys + 1] = lease_key(resources[i])
    end
    return keys
end

-- Their lease keys' values, false where there is none (or one of another type).
local function lease_values(resources)
    local values = {}
    for i = 1, #resources, CHUNK do
        local last = min(i + CHUNK - 1, #resources)
        local part = call("MGET", unpack(lease_keys(resources, i, last)))
        for k = 1, last - i + 1 do
            values[#values + 1] = part[k]
        end
    end
    return values
end

-- A set of those that have a lease key, of whatever type. One call where all or none have.
local function locked_among(resources)
    local locked = {}
    for i = 1, #resources, CHUNK do
        local last = min(i + CHUNK - 1, #resources)
        local keys = lease_keys(resources, i, last)
        local count = call("EXISTS", unpack(keys))
        for k = 1, count > 0 and #keys or 0 do
            if count == #keys or call("EXISTS", keys[k]) == 1 then
                locked[resources[i + k - 1]] = true
            end
        end
    end
    return locked
end

-- The fence in a token; 0 when it is none of ours.
local function fence_of(token)
    return tonumber(match(token, "^(%d+)[-+]") or 0)
end
