-- ready: makes tasks ready to be taken, wakes the workers that wait for them, tells daemons what
-- they wait for. A place is where a queue's tasks wait: its keys `list` (tasks of priority 0) and
-- `ranked` (all others; higher ones first, then by arrival), `meta`, `waiting` and `delayed`; a place
-- of one daemon's workers alone has `daemon`, too.
-- A daemon hears on its channel items that each end in NUL:
--   R<id>                this task has ended, or is gone
--   P<current> <total> <id>   of a task whose progress is wanted
--   W<number> <queue>    something is ready for the LISTEN of this number
--   L<queue>             something is ready for this daemon's own workers
--   D<ms>                of the leader: something is due in so many ms
-- and on the channel of all: T   there is something to tend again
-- Knows: Redis.  Must not know: which keys its script has.
-- include: prelude.lua
local call, pcall, format = redis.call, redis.pcall, string.format

local base -- "<prefix>|task-queue"
local pushed = {} -- list -> ids that are not there yet
local woken = {} -- list -> place, with the count of tasks that have become ready
local told = {} -- daemon -> items, and the places of its W items
local is_any_ready = false
local soonest -- of what has become due later in this script, in ms
local SOON_MS = 1500 -- the leader looks each second

local function tell(daemon, item, place)
    local items = told[daemon]
    if not items then
        items = { places = {} }
        told[daemon] = items
    end
    items[#items + 1] = item
    if place then
        items.places[#items.places + 1] = place
    end
end

-- daemons: separated by blanks; false: none.
local function tell_each(daemons, item)
    for daemon in string.gmatch(daemons or "", "%S+") do
        tell(daemon, item)
    end
end

-- Whoever waits for the end of a task.
local function tell_ended(id, waiters)
    if waiters then
        tell_each(waiters, "R" .. id)
    end
end

local function make_ready(place, id, priority)
    local list = place.list
    if priority == 0 then
        local ids = pushed[list]
        if ids then
            ids[#ids + 1] = id
        else
            pushed[list] = { id }
        end
    else
        local arrival = format("%016.0f", call("HINCRBY", place.meta, "arrivals", 1))
        call("ZADD", place.ranked, -priority, arrival .. id)
        call("HSET", base .. "|task-result:" .. id, "arrival", arrival) -- by which CANCEL finds it
    end
    local known = woken[list]
    if known then
        known.count = known.count + 1
    else
        place.count = 1
        woken[list] = place
        is_any_ready = true
    end
end

-- Before anything is taken from a list.
local function push_all()
    for list, ids in pairs(pushed) do
        call_each("RPUSH", list, ids)
        pushed[list] = nil
    end
end

-- Hands the news of n tasks to those that have waited for longest.
local function wake(place, n)
    while n > 0 do
        local popped = call("ZPOPMIN", place.waiting, math.min(n, CHUNK))
        for i = 1, #popped, 2 do
            local number, daemon = string.match(popped[i], "^(%d+) (.*)$")
            if number then
                tell(daemon, "W" .. number .. " " .. place.queue, place)
            end
        end
        if #popped == 0 then
            return
        end
        n = n - #popped / 2
    end
end

-- Nobody hears of the W items of a daemon that is gone: the next one is woken instead.
local function publish()
    while next(told) do
        local now = told
        told = {}
        for daemon, items in pairs(now) do
            items[#items + 1] = ""
            local text = table.concat(items, "\0")
            local hearers = call("PUBLISH", base .. "|channel:" .. daemon, text)
            for i = 1, hearers == 0 and #items.places or 0 do
                wake(items.places[i], 1)
            end
        end
    end
end

-- Something is there that has its time, or that a daemon's death would leave undone.
local function rouse()
    if call("SETNX", base .. "|awake", "1") == 1 then
        call("PUBLISH", base .. "|channel", "T\0")
    end
end

local function note_due(when)
    soonest = math.min(soonest or when, when)
end

local function tell_leader()
    local wait = soonest - clock()
    local leader = wait < SOON_MS and call("GET", base .. "|leader")
    if leader then
        tell(leader, "D" .. plain(math.max(0, wait)))
    end
end

-- To be called once, last.
local function settle()
    if soonest then
        tell_leader()
    end
    if is_any_ready then
        push_all()
        for list, place in pairs(woken) do
            local n = math.min(place.count, call("LLEN", list) + call("ZCARD", place.ranked))
            if place.daemon then
                for _ = 1, n do
                    tell(place.daemon, "L" .. place.queue)
                end
            else
                wake(place, n)
            end
        end
    end
    if next(told) then
        publish()
    end
end
