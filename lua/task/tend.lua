-- tend: what is due: tasks whose delay is over, those whose worker let its deadline pass, those of
-- daemons that are gone. Every daemon asks, which is how it tells that it lives; one of them leads and
-- does the work, a bounded part of it in each call. When nothing is there that could become due, a
-- daemon that has been idle for a while goes to rest: it asks no more until it is roused.
-- keys: due daemons journal leader awake crons queues
-- and those of the tasks that are due, and of their queues; what each daemon holds; crons that are due;
-- those of some queues, which are forgotten when nothing is left of them
-- args: daemon base session_ms leader_ms limit may_rest(1|0) forget(how many queues are looked at)
-- returns: [1 when it leads, tasks that were gone over, ms until the next is due (-1: none),
--   1 when it rests, Redis' time in ms, crons that are due:
--   [member at_ms schedule params missed timeout_ms retries priority] each]
-- include: task/idle.lua
local SOME_MS = 20 -- until the others of many crons can have been moved on
local daemon, limit = ARGV[1], tonumber(ARGV[5])
base = ARGV[2]
local now = clock()
local function is_anything_there()
    if call("EXISTS", KEYS[1], KEYS[6]) > 0 then
        return true
    end
    local daemons = call("ZRANGE", KEYS[2], 0, -1)
    for i = 1, #daemons do
        if call("EXISTS", base .. "|held:" .. daemons[i]) == 1 then
            return true
        end
    end
    return false
end

local leader = call("GET", KEYS[4])
local leads = not leader or leader == daemon
if ARGV[6] == "1" and not is_anything_there() then
    call("DEL", KEYS[5])
    if leads then
        call("DEL", KEYS[4])
    end
    return { 0, 0, -1, 1 } -- its entry among the daemons, if there is one, ends by itself
end
call("ZADD", KEYS[2], plain(now + tonumber(ARGV[3])), daemon)
if not leads then
    return { 0, 0, -1, 0 }
end
call("SET", KEYS[4], daemon, "PX", ARGV[4])

local function read(id)
    local task = read_task(base .. "|task-result:" .. id)
    if not task then
        return nil
    end
    return task, place_of(task.queue, task.only)
end

local function taker_of(task)
    return string.match(task.taker or "", "^%S*")
end

local ids = call("ZRANGEBYSCORE", KEYS[1], "-inf", plain(now), "LIMIT", 0, limit)
for i = 1, #ids do
    local id = ids[i]
    local task, place = read(id)
    call("ZREM", KEYS[1], id)
    if task and task.state == "delayed" then
        call("ZREM", place.delayed, id)
        call("HSET", task.key, "state", "waiting")
        make_ready(place, id, task.priority)
    elseif task and task.state == "taken" then
        local goes_on = lose(place, id, task, "its worker let the deadline pass")
        if not place.daemon or not goes_on then
            call("SREM", base .. "|held:" .. taker_of(task), id)
        end
    end
end
local count = #ids

-- A task of a dead daemon's own workers becomes everybody's.
local function free_from(dead, id)
    local task, place = read(id)
    if not task then
        return
    end
    local is_own = place.daemon == dead
    local new = is_own and place_of(task.queue) or place
    if is_own then
        call("HDEL", task.key, "only")
    end
    if task.state == "taken" and taker_of(task) == dead then
        call("ZREM", KEYS[1], id)
        lose(new, id, task, "its worker's daemon is gone")
    elseif task.state == "waiting" and is_own then
        make_ready(new, id, task.priority)
    end
end

local dead = call("ZRANGEBYSCORE", KEYS[2], "-inf", plain(now), "LIMIT", 0, 10)
for i = 1, #dead do
    local held = base .. "|held:" .. dead[i]
    local lost = call("SPOP", held, limit)
    for j = 1, #lost do
        free_from(dead[i], lost[j])
    end
    count = count + #lost
    if #lost < limit then
        call("ZREM", KEYS[2], dead[i])
        call("HDEL", KEYS[3], dead[i])
    end
end
soonest = nil -- it is the leader itself
settle()
if ARGV[7] ~= "0" then
    forget_idle(KEYS[7], call("SRANDMEMBER", KEYS[7], ARGV[7]), KEYS[6], KEYS[2])
end

local wait = -1
local function note_next(first)
    if first[2] and tonumber(first[2]) < math.huge then
        local next_ms = math.max(0, tonumber(first[2]) - now)
        wait = wait < 0 and next_ms or math.min(wait, next_ms)
    end
end

-- They are moved on by calls of their own: what is due is found again until that has been done.
local crons = call("ZRANGEBYSCORE", KEYS[6], "-inf", plain(now), "WITHSCORES", "LIMIT", 0, 10)
local firing = {}
for i = 1, #crons, 2 do
    local values = call("HMGET", base .. "|cron|" .. crons[i], "schedule", "params", "missed",
        "timeout", "retries", "priority")
    if values[1] then
        firing[#firing + 1] = { crons[i], plain(tonumber(crons[i + 1])), unpack(values) }
    else
        call("ZREM", KEYS[6], crons[i])
    end
end
note_next(call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES"))
note_next(call("ZRANGEBYSCORE", KEYS[6], "(" .. plain(now), "+inf", "WITHSCORES", "LIMIT", 0, 1))
if count >= limit then
    wait = 0
elseif #firing == 10 then
    wait = SOME_MS
end
return { 1, count, wait, 0, now, firing }
