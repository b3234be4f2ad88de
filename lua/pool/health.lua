-- health: counts by lease keys, exactly.
-- keys: pool
-- args: (none)
-- returns: [leased or locked, free]
-- include: pool/key.lua

local function run()
    local names, locked = redis.call("HKEYS", key.pool), 0
    for i = 1, #names, CHUNK do
        local keys = key.lease_list(names, i, math.min(i + CHUNK - 1, #names))
        locked = locked + redis.call("EXISTS", unpack(keys))
    end
    return { locked, #names - locked }
end

return run()
