-- recall: gives back what a batch took whose answer was lost, as if it had never been taken, and
-- forbids that batch to happen later. What it submitted stays: the same id joins it.
-- keys: journal due held
-- and those of the tasks that the journal names, and of their queues
-- args: daemon sequence
-- returns: how many tasks were given back
-- include: task/lose.lua
local daemon, sequence = ARGV[1], ARGV[2]
base = string.match(KEYS[1], "^(.*)|journal$")
local record = call("HGET", KEYS[1], daemon) or "0"
local done, count, id = tonumber(string.match(record, "^%d+") or 0), 0, nil
if done > tonumber(sequence) then
    return 0
end
if done == tonumber(sequence) then
    for part in string.gmatch(string.match(record, "^%d+(.*)$"), "%z(%Z*)") do
        if not id then
            id = part
        else
            local task = read_task(base .. "|task-result:" .. id)
            if task and task.state == "taken" and task.taker == daemon .. " " .. part then
                local place = place_of(task.queue, task.only)
                call("ZREM", KEYS[2], id)
                if not place.daemon then
                    call("SREM", KEYS[3], id)
                end
                untake(place, id, task)
                count = count + 1
            end
            id = nil
        end
    end
end
call("HDEL", KEYS[1], daemon) -- never refused for want of memory, nor is what follows it
call("HSET", KEYS[1], daemon, sequence)
settle()
return count
