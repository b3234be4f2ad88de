-- graph: puts together what daemons tell of those who wait and hold something meanwhile.
-- keys: graph
-- args: daemon text("": it has nothing to tell)
-- returns: the texts of all daemons that have told theirs a moment ago
-- include: prelude.lua
local LIVES_MS = 3000 -- who has not told anew for so long is dead
local texts = {}

if ARGV[2] == "" then
    redis.call("HDEL", KEYS[1], ARGV[1])
else
    redis.call("HSET", KEYS[1], ARGV[1], plain(clock()) .. " " .. ARGV[2])
end
local all = redis.call("HGETALL", KEYS[1])
for i = 1, #all, 2 do
    local told_ms, text = string.match(all[i + 1], "^(%d+) (.*)$")
    if not told_ms or math.abs(clock() - tonumber(told_ms)) > LIVES_MS then
        redis.call("HDEL", KEYS[1], all[i])
    else
        texts[#texts + 1] = text
    end
end
return texts
