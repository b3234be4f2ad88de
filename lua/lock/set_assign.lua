-- set_assign: makes a lock set have exactly these members; locks of those that leave run on.
-- keys: set
-- args: names...(none: it is cleared)
-- returns: [added, departed]
-- include: prelude.lua
local is_wanted, added, departed = {}, {}, {}
local old = redis.call("SMEMBERS", KEYS[1])
for i = 1, #ARGV do
    is_wanted[ARGV[i]] = true
end
for i = 1, #old do
    if not is_wanted[old[i]] then
        departed[#departed + 1] = old[i]
    end
    is_wanted[old[i]] = nil
end
for i = 1, #ARGV do
    if is_wanted[ARGV[i]] then
        added[#added + 1] = ARGV[i]
        is_wanted[ARGV[i]] = nil
    end
end
call_each("SADD", KEYS[1], added) -- first: it may be refused for want of memory
call_each("SREM", KEYS[1], departed)
return { #added, #departed }
