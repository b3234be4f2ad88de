-- lose: an attempt that came to nothing: the task goes back to its queue, or to the dead list. The
-- first time it is ready again at once, later after a backoff.
-- Knows: places.  Must not know: which keys its script has.
-- include: task/ready.lua
local MAX_DEAD = 10000 -- of one queue; the oldest go

-- The names that a script can only learn from the task: its queue's.
local function place_of(queue, daemon)
    daemon = daemon or nil
    local name = daemon and queue .. "@" .. daemon or queue
    return {
        queue = queue, daemon = daemon,
        list = base .. "|task-queue|" .. name, ranked = base .. "|ranked|" .. name,
        meta = base .. "|queue|" .. queue, waiting = base .. "|waiting|" .. queue,
        delayed = base .. "|delayed|" .. queue, dead = base .. "|dead|" .. queue,
    }
end

local TASK_FIELDS = {
    "state", "queue", "attempts", "taker", "retries", "backoff", "priority", "waiters", "only",
    "spent", "watchers", "arrival",
}

-- What lose() has to know of a task; nil when it is none.
local function read_task(key)
    local values = pcall("HMGET", key, unpack(TASK_FIELDS))
    if values.err or not values[1] then
        return nil
    end
    local task = { key = key }
    for i = 1, #TASK_FIELDS do
        task[TASK_FIELDS[i]] = values[i]
    end
    task.attempts = tonumber(task.attempts) or 0
    task.spent = tonumber(task.spent) or 0 -- attempts when it was last kicked
    task.retries = tonumber(task.retries) or 0
    task.priority = tonumber(task.priority) or 0
    return task
end

-- Out of the place where it waits. The list, which is the Python library's and has no index, is searched
-- from its head: 1.5 ms for 100,000 tasks, which is as many as may wait. Others are found at once.
local function unlist(place, id, task)
    if task.priority == 0 then
        call("LREM", place.list, 1, id)
        return
    end
    call("ZREM", place.ranked, (task.arrival or "") .. id)
end

local seed

-- backoff: "<ms> <most ms> <jitter in percent> <fixed(0)|exponential(1)>"
local function backoff_of(task)
    local ms, most, jitter, grows = string.match(task.backoff or "", "^(%d+) (%d+) (%d+) (%d)$")
    local lost = task.attempts - task.spent
    if not ms or lost <= 1 then
        return 0
    end
    local delay = ms * (grows == "1" and 2 ^ math.min(lost - 2, 40) or 1)
    clock()
    -- Redis gives the same random numbers to each script: its time is what differs.
    seed = ((seed or now_us % 2147483648) * 1103515245 + 12345) % 2147483648
    delay = math.min(delay, tonumber(most))
    return math.floor(delay * (1 + jitter / 100 * (seed / 1073741824 - 1)))
end

local function wait_until(place, id, task, delay)
    local due = plain(clock() + delay)
    note_due(clock() + delay)
    call("HSET", task.key, "state", "delayed")
    call("ZADD", place.delayed, due, id)
    call("ZADD", base .. "|due", due, id)
end

local function bury(place, id, task, why)
    call("HSET", task.key, "state", "dead", "error", why, "ended", plain(clock()))
    call("ZADD", place.dead, plain(clock()), id)
    if call("ZCARD", place.dead) > MAX_DEAD then
        local oldest = call("ZPOPMIN", place.dead)
        call("DEL", base .. "|task-result:" .. oldest[1])
    end
    tell_ended(id, task.waiters)
end

-- Of a task that is taken; what notes it as that (due, its taker's held) is the caller's to change.
-- delay: in ms; nil: as its backoff says. Whether it goes on.
local function lose(place, id, task, why, delay)
    call("HINCRBY", place.meta, "taken", -1)
    if task.attempts - task.spent > task.retries then
        bury(place, id, task, why)
        return false
    end
    delay = delay or backoff_of(task)
    if delay > 0 then
        wait_until(place, id, task, delay)
        call("HSET", task.key, "error", why)
    else
        call("HSET", task.key, "state", "waiting", "error", why)
        make_ready(place, id, task.priority)
    end
    return true
end

-- Back as if it had never been taken: nobody has seen it.
local function untake(place, id, task)
    call("HINCRBY", place.meta, "taken", -1)
    call("HSET", task.key, "state", "waiting", "attempts", plain(task.attempts - 1))
    make_ready(place, id, task.priority)
end
