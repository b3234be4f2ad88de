-- queue_kick: brings dead tasks back, the one that has been so for longest first; each may be tried as
-- often again as at first.
-- keys: dead
-- and those of the tasks that it names, and of their queue
-- args: base queue count
-- returns: how many
-- include: task/lose.lua
base = ARGV[1]
local place, count = place_of(ARGV[2]), 0
local popped = call("ZPOPMIN", KEYS[1], ARGV[3])
for i = 1, #popped, 2 do
    local task = read_task(base .. "|task-result:" .. popped[i])
    if task and task.state == "dead" then
        call("HDEL", task.key, "only", "ended")
        call("HSET", task.key, "state", "waiting", "spent", plain(task.attempts))
        make_ready(place, popped[i], task.priority)
        count = count + 1
    end
end
settle()
return count
