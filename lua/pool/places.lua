-- places: where some of those who wait stand in the line.
-- keys: pool leases waiters waiting
-- args: id...
-- returns: of each id place(from 1; 0: it is not in the line) expected_ms(-1: not known)
-- include: pool/eta.lua
key.index, key.waiters, key.waiting = KEYS[2], KEYS[3], KEYS[4]

local MOST_TOLD = 1000 -- behind this place nothing is expected

local function run()
    local places, last, reply = {}, 0, {}
    for i = 1, #ARGV do
        local rank = redis.call("ZRANK", key.waiters, ARGV[i])
        places[i] = rank and rank + 1 or 0
        last = math.max(last, places[i])
    end
    local line = eta.line(math.min(last, MOST_TOLD))
    for i = 1, #places do
        reply[2 * i - 1] = places[i]
        reply[2 * i] = line[places[i]] and line[places[i]].ms or -1
    end
    return reply
end

return run()
