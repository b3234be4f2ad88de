-- idle: forgets queues of which nothing is left: no task in whatever state, no result that is kept, no
-- cron, no PAUSE, nobody who listens. Whoever submits a task makes the queue known again.
-- Knows: places.  Must not know: which keys its script has.
-- include: task/lose.lua
-- include: task/own.lua
local are_crons_of -- queue -> has it crons?; read when it is first needed

local function has_crons(crons, queue)
    if not are_crons_of then
        are_crons_of = {}
        local members = call("ZRANGE", crons, 0, -1)
        for i = 1, #members do
            are_crons_of[string.match(members[i], "^%S*")] = true
        end
    end
    return are_crons_of[queue]
end

local function is_anything_left(queue, crons, daemons)
    local place = place_of(queue)
    if call("EXISTS", place.list, place.ranked, place.delayed, place.dead, place.waiting,
        base .. "|kept|" .. queue, base .. "|task-listen|" .. queue) > 0 then
        return true
    end
    local meta = call("HMGET", place.meta, "taken", "paused")
    if (tonumber(meta[1]) or 0) > 0 or meta[2] == "1" or has_crons(crons, queue) then
        return true
    end
    local places = own_places(daemons, place.list, place.ranked)
    for i = 1, #places do
        if call("EXISTS", places[i].list, places[i].ranked) > 0 then
            return true
        end
    end
    return false
end

-- queues: the key of their names. Those that are left.
local function forget_idle(queues, names, crons, daemons)
    local kept = {}
    for i = 1, #names do
        if is_anything_left(names[i], crons, daemons) then
            kept[#kept + 1] = names[i]
        else
            call("SREM", queues, names[i])
            call("DEL", base .. "|queue|" .. names[i])
        end
    end
    return kept
end
