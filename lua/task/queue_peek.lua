-- queue_peek: the tasks that are next: everybody's, then those for one daemon's own workers.
-- keys: daemons list ranked
-- and those of each daemon's own workers, and of the tasks that these name
-- args: base count
-- returns: [id params priority attempts age_ms] each
-- include: prelude.lua
-- include: task/own.lua
local call, count, reply = redis.call, tonumber(ARGV[2]), {}

local function show(id)
    local key = ARGV[1] .. "|task-result:" .. id
    local values = redis.pcall("HMGET", key, "params", "priority", "attempts", "submitted")
    if #reply < count and not values.err and values[1] then
        reply[#reply + 1] = {
            id, values[1], tonumber(values[2]) or 0, tonumber(values[3]) or 0,
            clock() - (tonumber(values[4]) or 0),
        }
    end
end

local function show_ranked(ranked, from, to)
    local members = call("ZRANGEBYSCORE", ranked, from, to, "LIMIT", 0, count - #reply)
    for i = 1, #members do
        show(string.sub(members[i], 17))
    end
end

local function show_place(list, ranked)
    if #reply >= count then
        return
    end
    show_ranked(ranked, "-inf", "(0")
    local ids = call("LRANGE", list, 0, count - 1)
    for i = 1, #ids do
        show(ids[i])
    end
    show_ranked(ranked, "(0", "+inf")
end

show_place(KEYS[2], KEYS[3])
local places = own_places(KEYS[1], KEYS[2], KEYS[3])
for i = 1, #places do
    show_place(places[i].list, places[i].ranked)
end
return reply
