-- queue_dead: the tasks of a queue that are dead, the one that has been so for longest first.
-- keys: dead
-- and those of the tasks that it names
-- args: base count
-- returns: [id error attempts age_ms] each
-- include: prelude.lua
local reply = {}
local ids = redis.call("ZRANGE", KEYS[1], 0, tonumber(ARGV[2]) - 1)
for i = 1, #ids do
    local key = ARGV[1] .. "|task-result:" .. ids[i]
    local values = redis.pcall("HMGET", key, "error", "attempts", "ended")
    if not values.err and values[2] then
        reply[#reply + 1] = {
            ids[i], values[1] or "", tonumber(values[2]) or 0, clock() - (tonumber(values[3]) or 0),
        }
    end
end
return reply
