-- set_shrink: removes members from a lock set; their locks run on.
-- keys: set
-- args: names...
-- returns: how many departed
-- include: prelude.lua
local count = 0
for i = 1, #ARGV, CHUNK do
    count = count + redis.call("SREM", KEYS[1], unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
return count
