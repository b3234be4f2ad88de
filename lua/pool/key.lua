-- key: the names of lease keys, and what they hold.
-- Knows: the first key of its script, pool: <base>|pool.  Must not know: the free list.
-- include: prelude.lua
local key = {
    pool = KEYS[1], base = string.sub(KEYS[1], 1, -6),
    -- The value of a lease key that nobody holds: the resource is ill.
    UNHEALTHY = "#UNHEALTHY",
}

-- Values of lease keys as far as they are known; false: none.
local value_of = {}

function key.lease(resource)
    return key.base .. ":" .. resource
end

function key.lease_list(resources, from, to)
    local keys = {}
    for i = from, to do
        keys[#keys + 1] = key.lease(resources[i])
    end
    return keys
end

-- Their lease keys' values, false where there is none (or one of another type).
function key.values(resources)
    local values = {}
    for i = 1, #resources, CHUNK do
        local last = math.min(i + CHUNK - 1, #resources)
        local part = redis.call("MGET", unpack(key.lease_list(resources, i, last)))
        for k = 1, last - i + 1 do
            values[#values + 1] = part[k]
        end
    end
    return values
end

-- A set of those that have a lease key, of whatever type. One call where all or none have.
function key.locked(resources)
    local locked = {}
    for i = 1, #resources, CHUNK do
        local last = math.min(i + CHUNK - 1, #resources)
        local keys = key.lease_list(resources, i, last)
        local count = redis.call("EXISTS", unpack(keys))
        for k = 1, count > 0 and #keys or 0 do
            if count == #keys or redis.call("EXISTS", keys[k]) == 1 then
                locked[resources[i + k - 1]] = true
            end
        end
    end
    return locked
end

-- Is it a token, or what others have put there, and not the sign of something that is set aside?
function key.is_token(value)
    return value and string.byte(value) ~= 35
end

-- The fence in a token; 0 when it is none of ours.
function key.fence_of(token)
    return tonumber(string.match(token, "^(%d+)[-+]") or 0)
end
