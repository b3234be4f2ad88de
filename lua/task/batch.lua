-- batch: goes over the operations of a batch of tasks, in the order given.
-- keys: journal due held daemons queues
-- behind them those of the operations: of S: task meta delayed list ranked waiting; of A: these, then
-- listen and the list and ranked of this daemon's own workers; of T: list ranked meta waiting of each
-- queue; of E: task meta; of F B P G M: task; of O: task of each; of U: waiting of each queue; of K: list
-- ranked meta waiting listen; of C: crons
-- args: daemon sequence base session_ms, then the operations, each a letter and its args:
--   S id queue params timeout_ms retries backoff priority delay_ms wait(0|1|2: and is told of progress) once(1|0) max_waiting local(daemon|"")
--     submits a task, or joins it: OK; W when it has not ended and wait is not 0; else as G; BUSY
--   A likewise, but last: 1, to the queue when somebody listens there, else to this daemon's own
--     workers; 0, there are none: NOWORKER when nobody listens; -: NOWORKER, unless it is there already
--   T number wait(0: no, 1: for the first time, 2: again) count n, then of each of n queues its name and daemon("": all)
--     takes tasks: [queue id params attempt ttl_ms(-1: no deadline) ticket] each; waits when there is none and wait is not 0
--   E id ticket result max_kept   ends a task: OK; W: and this daemon waits for it; NOTOWNER
--   F id ticket text retry_ms(-1: it has failed for good) max_kept     likewise
--   B id ticket why("": nobody has seen it)     gives back: 1; 0
--   P id ticket current total     OK; NOTOWNER; TIMEOUT
--   G id once(1|0)            looks: W; [D result]; [F error]; [N] when it is gone
--   M id                      gives what waits for everybody to this daemon's own workers: 1; 0
--   O n                       which of n tasks have ended, or are gone: their places, from 1
--   U number n                waits no more: OK
--   C member at_ms next_ms(-1: never) fires(1|0)   moves a cron on; with 1, an S stands behind it and is
--     done with it: OK; 0 when it is not due at that time any more, or its S has been done before
--   K queue listen_ms         somebody listens there; hands on what is ready: how many wait
-- A ticket stands for one attempt, whatever becomes of the task: its worker alone has it.
-- returns: one element an operation; or error STALE for the whole when the journal has this sequence
-- already (nothing done)
-- include: task/kept.lua
local argv, keys = ARGV, KEYS
local daemon = argv[1]
base = argv[3]

local known = call("HGET", KEYS[1], daemon)
if known and tonumber(string.match(known, "^%d+") or 0) >= tonumber(argv[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end

local NOT_OWNER = "NOTOWNER this connection has not taken the task, or has lost it"
local OTHER_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
local at, k, replies = 5, 6, {}
local lengths = {} -- list -> how many tasks wait there and in its ranked and delayed
local paused, is_ranked, is_listed = {}, {}, {} -- of a meta, of a ranked: is it empty?; of a queue
local due, not_due, held, not_held = {}, {}, {}, {}
local taken_of = {} -- meta -> how many more are taken
local taken = {} -- for the journal
local deadlines = {} -- of the timeouts that occur, as text
local now = plain(clock())
local run_other -- a function, once it was needed

local function ended_reply(state, result, err)
    if state == "done" then
        return { "D", result or "" }
    elseif state == "failed" or state == "dead" then
        return { "F", err or "" }
    end
    return "W"
end

local function add_daemon(task, field, daemons)
    if not daemons or daemons == "" then
        call("HSET", task, field, daemon)
    elseif not string.find(" " .. daemons .. " ", " " .. daemon .. " ", 1, true) then
        call("HSET", task, field, daemons .. " " .. daemon)
    end
end

-- The task, which is there already, as G and S answer it.
local function join(task, queue, waits, once, watches)
    local values = call("HMGET", task, "state", "result", "error", "queue", "waiters")
    if queue and values[4] ~= queue then
        return redis.error_reply("ERR this id is a task of queue " .. shown(values[4] or ""))
    elseif not waits then
        return redis.status_reply("OK")
    end
    local reply = ended_reply(values[1], values[2], values[3])
    if reply == "W" then
        add_daemon(task, "waiters", values[5])
        if watches then
            add_daemon(task, "watchers", call("HGET", task, "watchers"))
        end
    elseif once and values[1] ~= "dead" then
        call("DEL", task)
    end
    return reply
end

-- How many wait at a place; an error reply when the list is none.
local function length_of(list, ranked, delayed)
    local n = lengths[list]
    if not n then
        n = pcall("LLEN", list)
        if type(n) == "table" then
            return n
        end
        n = n + call("ZCARD", ranked) + call("ZCARD", delayed)
        lengths[list] = n
    end
    return n
end

local function submit(letter, id, queue)
    local task, list, ranked = keys[k], keys[k + 3], keys[k + 4]
    local waits, watches, only = argv[at + 9] ~= "0", argv[at + 9] == "2", argv[at + 12]
    local state = pcall("HGET", task, "state")
    if state then
        return state.err and redis.error_reply(OTHER_TYPE)
            or join(task, queue, waits, argv[at + 10] == "1", watches)
    elseif letter == "A" then
        if only ~= "-" and call("EXISTS", keys[k + 6]) == 1 then
            only = ""
        elseif only == "1" then
            only, list, ranked = daemon, keys[k + 7], keys[k + 8]
        else
            return redis.error_reply("NOWORKER nobody listens to this queue")
        end
    end
    local length = length_of(list, ranked, keys[k + 2])
    if type(length) == "table" then
        return length
    elseif length >= tonumber(argv[at + 11]) then
        return redis.error_reply("BUSY " .. plain(length) .. " tasks wait in this queue already")
    end
    lengths[list] = length + 1
    local delay, priority = tonumber(argv[at + 8]), tonumber(argv[at + 7])
    call("HSET", task, "queue", queue, "params", argv[at + 3], "state",
        delay > 0 and "delayed" or "waiting", "timeout", argv[at + 4], "retries", argv[at + 5],
        "backoff", argv[at + 6], "submitted", now)
    if waits then
        call("HSET", task, "waiters", daemon)
    end
    if watches then
        call("HSET", task, "watchers", daemon)
    end
    if priority ~= 0 then
        call("HSET", task, "priority", argv[at + 7])
    end
    if only ~= "" then
        call("HSET", task, "only", only)
        held[#held + 1] = id
    end
    if not is_listed[queue] then
        is_listed[queue] = true
        call("SADD", KEYS[5], queue)
    end
    if delay > 0 then
        local when = plain(clock() + delay)
        note_due(clock() + delay)
        call("ZADD", keys[k + 2], when, id)
        due[#due + 1] = when
        due[#due + 1] = id
    else
        make_ready({
            queue = queue, list = list, ranked = ranked, meta = keys[k + 1],
            waiting = keys[k + 5], daemon = only ~= "" and only or nil,
        }, id, priority)
        if priority ~= 0 then
            is_ranked[ranked] = true
        end
    end
    return waits and "W" or redis.status_reply("OK")
end

-- The id that comes first: higher priorities, then the list, then lower ones.
local function pop(list, ranked)
    if is_ranked[ranked] == nil then
        is_ranked[ranked] = call("EXISTS", ranked) == 1
    end
    if is_ranked[ranked] then
        local head = call("ZRANGE", ranked, 0, 0, "WITHSCORES")
        if not head[1] then
            is_ranked[ranked] = false
        elseif tonumber(head[2]) < 0 then
            return string.sub(call("ZPOPMIN", ranked)[1], 17)
        end
    end
    local id = pcall("LPOP", list)
    if type(id) == "string" then
        return id
    elseif is_ranked[ranked] then
        return string.sub(call("ZPOPMIN", ranked)[1], 17)
    end
    return nil
end

-- One task of a queue that is not there for nothing: others may have put ids into the list.
local function take_one(queue, list, ranked, meta)
    if paused[meta] == nil then
        paused[meta] = call("HGET", meta, "paused") == "1"
    end
    while not paused[meta] do
        local id = pop(list, ranked)
        if not id then
            return nil
        end
        local key = base .. "|task-result:" .. id
        local values = pcall("HMGET", key, "state", "queue", "params", "attempts", "timeout")
        if not values.err and values[1] == "waiting" and values[2] == queue then
            local attempt, timeout = (tonumber(values[4]) or 0) + 1, tonumber(values[5]) or 0
            local ticket = argv[2] .. "." .. #taken
            call("HSET", key, "state", "taken", "attempts", attempt, "taker",
                daemon .. " " .. ticket, "started", now)
            if timeout > 0 then
                deadlines[timeout] = deadlines[timeout] or plain(clock() + timeout)
                note_due(clock() + timeout)
                due[#due + 1] = deadlines[timeout]
                due[#due + 1] = id
            end
            held[#held + 1] = id
            taken_of[meta] = (taken_of[meta] or 0) + 1
            taken[#taken + 1] = id
            taken[#taken + 1] = ticket
            return { queue, id, values[3] or "", attempt, timeout > 0 and timeout or -1, ticket }
        end
    end
    return nil
end

local function take()
    local number, waits, left = argv[at + 1], argv[at + 2], tonumber(argv[at + 3])
    local n, got = tonumber(argv[at + 4]), {}
    if next(pushed) then
        push_all()
    end
    for i = 0, n - 1 do
        local q = k + 4 * i
        while left > 0 do
            local task = take_one(argv[at + 5 + 2 * i], keys[q], keys[q + 1], keys[q + 2])
            if not task then
                break
            end
            got[#got + 1] = task
            left = left - 1
        end
    end
    for i = 0, waits ~= "0" and n - 1 or -1 do
        if #got > 0 and waits == "2" then
            call("ZREM", keys[k + 4 * i + 3], number .. " " .. daemon)
        elseif #got == 0 and argv[at + 6 + 2 * i] == "" then
            call("ZADD", keys[k + 4 * i + 3], "NX", plain(now_us), number .. " " .. daemon)
        end
    end
    at, k = at + 5 + 2 * n, k + 4 * n
    return got
end

-- Other daemons are told by messages, this one by its answer.
local function tell_others(id, waiters)
    local reply = redis.status_reply("OK")
    for other in string.gmatch(waiters or "", "%S+") do
        if other == daemon then
            reply = "W"
        else
            tell(other, "R" .. id)
        end
    end
    return reply
end

local function finish(id, ticket)
    local task, meta = keys[k], keys[k + 1]
    local values = pcall("HMGET", task, "state", "taker", "timeout", "waiters")
    if values.err or values[2] ~= daemon .. " " .. ticket then
        return redis.error_reply(NOT_OWNER)
    elseif values[1] == "done" then
        return redis.status_reply("OK") -- said again, for the answer was lost
    elseif values[1] ~= "taken" then
        return redis.error_reply(NOT_OWNER)
    end
    call("HSET", task, "state", "done", "result", argv[at + 3], "ended", now)
    keep_result(meta, id, task, values[3], argv[at + 4])
    taken_of[meta] = (taken_of[meta] or 0) - 1
    not_due[#not_due + 1] = id
    not_held[#not_held + 1] = id
    return tell_others(id, values[4])
end

-- All but the usual: made when it is first needed.
local function make_run_other()
    -- The task of this attempt; nil when it is another's now.
    local function taken_by(ticket)
        local task = read_task(keys[k])
        local is_its = task and task.state == "taken" and task.taker == daemon .. " " .. ticket
        return is_its and task or nil
    end

    -- It is this attempt's no more.
    local function let_go(id)
        call("ZREM", KEYS[2], id)
        call("SREM", KEYS[3], id)
    end

    local function fail_for_good(place, id, task, text, max_kept)
        call("HINCRBY", place.meta, "taken", -1)
        call("HSET", task.key, "state", "failed", "error", text, "ended", now)
        keep_result(place.meta, id, task.key, call("HGET", task.key, "timeout"), max_kept)
        return tell_others(id, task.waiters)
    end

    local function fail(id, ticket, text, retry, max_kept)
        local task = taken_by(ticket)
        if not task then
            return redis.error_reply(NOT_OWNER)
        end
        local place = place_of(task.queue, task.only)
        let_go(id)
        if retry == "-1" then
            return fail_for_good(place, id, task, text, max_kept)
        elseif lose(place, id, task, text, tonumber(retry)) and place.daemon then
            held[#held + 1] = id
        end
        return redis.status_reply("OK")
    end

    local function give_back(id, ticket, why)
        local task = taken_by(ticket)
        if not task then
            return 0
        end
        local place, goes_on = place_of(task.queue, task.only), true
        let_go(id)
        if why == "" then
            untake(place, id, task)
        else
            goes_on = lose(place, id, task, why)
        end
        if goes_on and place.daemon then
            held[#held + 1] = id
        end
        return 1
    end

    local function progress(id, ticket, current, total)
        local task = read_task(keys[k])
        if not task or task.taker ~= daemon .. " " .. ticket or task.state == "done"
            or task.state == "failed" then
            return redis.error_reply(NOT_OWNER)
        elseif task.state ~= "taken" then
            return redis.error_reply("TIMEOUT the task's time has run out")
        end
        call("HSET", keys[k], "current", current, "total", total)
        tell_each(task.watchers, "P" .. current .. " " .. total .. " " .. id)
        return redis.status_reply("OK")
    end

    local function look(once)
        local state = pcall("HGET", keys[k], "state")
        if type(state) ~= "string" then
            return { "N" }
        end
        return join(keys[k], nil, true, once)
    end

    local function move(id)
        local task = read_task(keys[k])
        if not task or task.only or task.state ~= "waiting" then
            return 0
        end
        push_all()
        unlist(place_of(task.queue), id, task)
        call("HSET", task.key, "only", daemon)
        held[#held + 1] = id
        make_ready(place_of(task.queue, daemon), id, task.priority)
        return 1
    end

    local function look_over(n)
        local ended = {}
        for i = 1, n do
            local state = pcall("HGET", keys[k + i - 1], "state")
            if state ~= "waiting" and state ~= "delayed" and state ~= "taken" then
                ended[#ended + 1] = i
            end
        end
        at, k = at + 2, k + n
        return ended
    end

    local function keep(queue, listen_ms)
        local list, ranked, waiting = keys[k], keys[k + 1], keys[k + 3]
        if listen_ms ~= "0" then
            call("SET", keys[k + 4], "1", "PX", listen_ms)
        end
        push_all()
        local length = pcall("LLEN", list)
        length = (type(length) == "table" and 0 or length) + call("ZCARD", ranked)
        local count = call("ZCARD", waiting)
        if length > 0 and count > 0 and call("HGET", keys[k + 2], "paused") ~= "1" then
            wake({ queue = queue, waiting = waiting }, math.min(length, CHUNK))
        end
        return count
    end

    return function(letter)
        local a, b, c, d = argv[at + 1], argv[at + 2], argv[at + 3], argv[at + 4]
        if letter == "F" then
            local reply = fail(a, b, c, d, argv[at + 5])
            at, k = at + 6, k + 1
            return reply
        elseif letter == "B" then
            local reply = give_back(a, b, c)
            at, k = at + 4, k + 1
            return reply
        elseif letter == "P" then
            local reply = progress(a, b, c, d)
            at, k = at + 5, k + 1
            return reply
        elseif letter == "G" then
            local reply = look(b == "1")
            at, k = at + 3, k + 1
            return reply
        elseif letter == "M" then
            local reply = move(a)
            at, k = at + 2, k + 1
            return reply
        elseif letter == "O" then
            return look_over(tonumber(a))
        elseif letter == "K" then
            local reply = keep(a, b)
            at, k = at + 3, k + 5
            return reply
        end
        for i = 0, tonumber(b) - 1 do -- U
            call("ZREM", keys[k + i], a .. " " .. daemon)
        end
        at, k = at + 3, k + tonumber(b)
        return redis.status_reply("OK")
    end
end

-- Whether this firing is this call's to do.
local function move_on(member, when, next_ms)
    local score = call("ZSCORE", keys[k], member)
    if not score or tonumber(score) ~= tonumber(when) then
        return false
    end
    call("ZADD", keys[k], next_ms == "-1" and "+inf" or next_ms, member)
    if next_ms ~= "-1" then
        note_due(tonumber(next_ms))
    end
    return true
end

local function fire()
    local is_real, reply = argv[at + 4] == "1", 0
    local is_ours = move_on(argv[at + 1], argv[at + 2], argv[at + 3])
    at, k = at + 5, k + 1
    if is_ours and is_real then
        reply = submit("S", argv[at + 1], argv[at + 2])
    end
    if is_real then
        at, k = at + 13, k + 6
    end
    return reply
end

while argv[at] do
    local letter = argv[at]
    local reply
    if letter == "S" or letter == "A" then
        reply = submit(letter, argv[at + 1], argv[at + 2])
        at, k = at + 13, k + (letter == "S" and 6 or 9)
    elseif letter == "T" then
        reply = take()
    elseif letter == "E" then
        reply = finish(argv[at + 1], argv[at + 2])
        at, k = at + 5, k + 2
    elseif letter == "C" then
        reply = fire()
    else
        run_other = run_other or make_run_other()
        reply = run_other(letter)
    end
    replies[#replies + 1] = reply
end

bound_kept()

-- What ended in this call may have been taken in it, too: first what is there, then what is not.
call_each("ZADD", KEYS[2], due)
call_each("ZREM", KEYS[2], not_due)
call_each("SADD", KEYS[3], held)
call_each("SREM", KEYS[3], not_held)
for meta, count in pairs(taken_of) do
    if count ~= 0 then
        call("HINCRBY", meta, "taken", count)
    end
end
if #held > 0 then -- the daemon is known, should it die before its first beat
    call("ZADD", KEYS[4], "GT", plain(clock() + tonumber(argv[4])), daemon)
end
if #held > 0 or #due > 0 then
    rouse()
end
if #taken > 0 then
    call("HSET", KEYS[1], daemon, argv[2] .. "\0" .. table.concat(taken, "\0"))
end
settle()
return replies
