-- turn: who reads the pool's sources. The key is the one that the Python library's updaters take for
-- their update interval, so that of all peers and daemons one refreshes the pool.
-- keys: policy_update_lock
-- args: daemon ms(<= 0: it gives its turn up) takes(1: whoever has it | 0)
-- returns: [has(1|0), ms that the turn of whoever has it lasts(-1: without an end, -2: nobody has it)]
local lock = KEYS[1]
local daemon, ms, takes = ARGV[1], tonumber(ARGV[2]), ARGV[3] == "1"

local holder = not takes and redis.call("GET", lock)
if holder and holder ~= daemon then
    return { 0, redis.call("PTTL", lock) }
elseif ms > 0 then
    redis.call("SET", lock, daemon, "PX", ms)
    return { 1, ms }
end
redis.call("DEL", lock)
return { 0, -2 }
