-- queue_list: the queues of which anything is left; the others are forgotten. When there are more than
-- can be looked at, those that were not are listed as well.
-- keys: queues crons daemons
-- and those of the queues that it names
-- args: base limit
-- returns: their names
-- include: task/idle.lua
base = ARGV[1]
local all, some, limit = call("SMEMBERS", KEYS[1]), {}, tonumber(ARGV[2])
for i = 1, math.min(#all, limit) do
    some[i] = all[i]
end
local names = forget_idle(KEYS[1], some, KEYS[2], KEYS[3])
for i = limit + 1, #all do
    names[#names + 1] = all[i]
end
return names
