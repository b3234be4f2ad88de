-- places: where some of those who wait stand in the line.
-- keys: pool leases waiters waiting held aside journal
-- args: id...
-- returns: of each id place(from 1; 0: it is not in the line) expected_ms(-1: not known)
-- include: pool/eta.lua
-- include: pool/fair.lua
key.index, key.waiters, key.waiting = KEYS[2], KEYS[3], KEYS[4]
key.held, key.aside, key.journal = KEYS[5], KEYS[6], KEYS[7]

local MOST_TOLD = 1000 -- behind this place nothing is expected

-- The places of those who come first, by the shares of their owners; who is behind them has the place
-- of its coming, but none of theirs.
local function fair_places()
    local ids, places = fair.line(MOST_TOLD), {}
    for i = 1, #ids do
        places[ids[i]] = i
    end
    return ids, places
end

local function run()
    local places, last, reply, ids, fair_place = {}, 0, {}, nil, {}
    read_rules()
    if fair.is_kept() then
        ids, fair_place = fair_places()
    end
    for i = 1, #ARGV do
        local rank = redis.call("ZRANK", key.waiters, ARGV[i])
        places[i] = rank and (fair_place[ARGV[i]] or math.max(rank, ids and #ids or 0) + 1) or 0
        last = math.max(last, places[i])
    end
    local line = eta.line(math.min(last, MOST_TOLD), ids)
    for i = 1, #places do
        reply[2 * i - 1] = places[i]
        reply[2 * i] = line[places[i]] and line[places[i]].ms or -1
    end
    return reply
end

return run()
