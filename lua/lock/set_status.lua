-- set_status: which members of a lock set are locked.
-- keys: set
-- args: names...(none: all members)
-- returns: of each its name, then 1 or 0; nil for a stranger
-- include: lock/members.lua
local names, reply, is_stranger = ARGV, {}, {}
if #names == 0 then
    names = redis.call("SMEMBERS", KEYS[1])
else
    for i = 1, #names do
        is_stranger[names[i]] = redis.call("SISMEMBER", KEYS[1], names[i]) == 0
    end
end
each_lock(names, function(name, is_locked)
    reply[#reply + 1] = name
    reply[#reply + 1] = not is_stranger[name] and is_locked
end)
return reply
