-- queue_peek: the tasks that are next.
-- keys: list ranked
-- and those of the tasks that these name
-- args: base count
-- returns: [id params priority attempts age_ms] each
-- include: prelude.lua
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

local function show_ranked(from, to)
    local members = call("ZRANGEBYSCORE", KEYS[2], from, to, "LIMIT", 0, count)
    for i = 1, #members do
        show(string.sub(members[i], 17))
    end
end

show_ranked("-inf", "(0")
local ids = call("LRANGE", KEYS[1], 0, count - 1)
for i = 1, #ids do
    show(ids[i])
end
show_ranked("(0", "+inf")
return reply
