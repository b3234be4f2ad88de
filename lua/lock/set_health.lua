-- set_health: counts the members of a lock set.
-- keys: set
-- args: (none)
-- returns: [locked, free]
-- include: lock/members.lua
local names, locked = redis.call("SMEMBERS", KEYS[1]), 0
each_lock(names, function(_, is_locked)
    locked = locked + is_locked
end)
return { locked, #names - locked }
