-- queue_purge: drops tasks that wait in a queue or are delayed, a bounded number in one call.
-- keys: due list ranked delayed
-- and those of the tasks that these name
-- args: base limit
-- returns: [how many, 1 when there are more]
-- include: task/ready.lua
base = ARGV[1]
local left, count = tonumber(ARGV[2]), 0

local function drop(id)
    local key = base .. "|task-result:" .. id
    local values = pcall("HMGET", key, "state", "waiters")
    if not values.err and (values[1] == "waiting" or values[1] == "delayed") then
        call("DEL", key)
        tell_ended(id, values[2])
        count = count + 1
    end
    left = left - 1
end

local ids = call("LPOP", KEYS[2], left) or {}
for i = 1, #ids do
    drop(ids[i])
end
local ranked = left > 0 and call("ZPOPMIN", KEYS[3], left) or {}
for i = 1, #ranked, 2 do
    drop(string.sub(ranked[i], 17))
end
local delayed = left > 0 and call("ZPOPMIN", KEYS[4], left) or {}
for i = 1, #delayed, 2 do
    call("ZREM", KEYS[1], delayed[i])
    drop(delayed[i])
end
settle()
return { count, left <= 0 and 1 or 0 }
