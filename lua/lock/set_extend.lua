-- set_extend: adds members to a lock set.
-- keys: set
-- args: names...
-- returns: how many were new
-- include: prelude.lua
local count = 0
for i = 1, #ARGV, CHUNK do
    count = count + redis.call("SADD", KEYS[1], unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
return count
