-- members: what a lock set's members have as locks.
-- Knows: the first key of its script, set: <prefix>|<set>|pool.
-- include: prelude.lua
local base = string.sub(KEYS[1], 1, -6) .. ":"

-- Calls visit(name, is_locked) for each.
local function each_lock(names, visit)
    for from = 1, #names, CHUNK do
        local keys, last = {}, math.min(from + CHUNK - 1, #names)
        for i = from, last do
            keys[#keys + 1] = base .. names[i]
        end
        local values = redis.call("MGET", unpack(keys))
        for i = from, last do
            visit(names[i], values[i - from + 1] and 1 or 0)
        end
    end
end
