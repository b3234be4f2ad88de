-- health: counts by lease keys, exactly.
-- keys: pool
-- args: (none)
-- returns: [leased or locked, free]
-- include: pool/key.lua

local function run()
    local names, locked = call("HKEYS", K_pool), 0
    for i = 1, #names, CHUNK do
        locked = locked + call("EXISTS", unpack(lease_keys(names, i, min(i + CHUNK - 1, #names))))
    end
    return { locked, #names - locked }
end

return run()
