-- cancel: drops a task that has not ended, or is dead: its worker's result will be refused.
-- keys: due task
-- and those of its queue, and what its taker holds
-- args: id base
-- returns: 1; 0 when there is none, or it has ended
-- include: task/lose.lua
local id = ARGV[1]
base = ARGV[2]
local task = read_task(KEYS[2])
if not task or task.state == "done" or task.state == "failed" then
    return 0
end
local place = place_of(task.queue, task.only)
call("DEL", KEYS[2])
call("ZREM", KEYS[1], id)
if task.state == "delayed" then
    call("ZREM", place.delayed, id)
elseif task.state == "dead" then
    call("ZREM", place.dead, id)
elseif task.state == "taken" then
    call("HINCRBY", place.meta, "taken", -1)
else
    unlist(place, id, task)
end
local taker = string.match(task.taker or "", "^%S+")
for _, daemon in ipairs({ place.daemon or "", taker or "" }) do
    if daemon ~= "" then
        call("SREM", base .. "|held:" .. daemon, id)
    end
end
tell_ended(id, task.waiters)
settle()
return 1
