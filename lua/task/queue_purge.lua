-- queue_purge: drops tasks that wait in a queue, also those for one daemon's own workers, or are
-- delayed, a bounded number in one call.
-- keys: due daemons list ranked delayed
-- and those of each daemon's own workers, of the tasks that these name, and what their daemons hold
-- args: base limit
-- returns: [how many, 1 when there are more]
-- include: task/ready.lua
-- include: task/own.lua
base = ARGV[1]
local left, count = tonumber(ARGV[2]), 0

local function drop(id)
    local key = base .. "|task-result:" .. id
    local values = pcall("HMGET", key, "state", "waiters", "only")
    if not values.err and (values[1] == "waiting" or values[1] == "delayed") then
        call("DEL", key)
        if values[3] then
            call("SREM", base .. "|held:" .. values[3], id)
        end
        tell_ended(id, values[2])
        count = count + 1
    end
    left = left - 1
end

local function drop_place(list, ranked)
    local ids = left > 0 and call("LPOP", list, left) or {}
    for i = 1, #ids do
        drop(ids[i])
    end
    local members = left > 0 and call("ZPOPMIN", ranked, left) or {}
    for i = 1, #members, 2 do
        drop(string.sub(members[i], 17))
    end
end

drop_place(KEYS[3], KEYS[4])
local delayed = left > 0 and call("ZPOPMIN", KEYS[5], left) or {}
for i = 1, #delayed, 2 do
    call("ZREM", KEYS[1], delayed[i])
    drop(delayed[i])
end
local places = own_places(KEYS[2], KEYS[3], KEYS[4])
for i = 1, #places do
    drop_place(places[i].list, places[i].ranked)
end
settle()
return { count, left <= 0 and 1 or 0 }
