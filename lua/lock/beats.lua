-- beats: who of a group is alive.
-- keys: set
-- args: (none)
-- returns: names
-- include: lock/members.lua
local alive = {}
each_lock(redis.call("SMEMBERS", KEYS[1]), function(name, is_locked)
    if is_locked == 1 then
        alive[#alive + 1] = name
    end
end)
return alive
