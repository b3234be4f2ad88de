-- own: the places where tasks wait for one daemon's own workers alone. A daemon that has such tasks is
-- known as long as it lives; when it is gone they become everybody's.
-- Knows: Redis.  Must not know: which keys its script has.

-- [daemon list ranked] each, of everybody's list and ranked of that queue.
local function own_places(daemons, list, ranked)
    local places = redis.call("ZRANGE", daemons, 0, -1)
    for i = 1, #places do
        local suffix = "@" .. places[i]
        places[i] = { daemon = places[i], list = list .. suffix, ranked = ranked .. suffix }
    end
    return places
end
