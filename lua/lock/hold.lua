-- hold: what every kind of lock has in common: time, fences, what is noted for the journal.
-- A lock is a string whose value is its owner, exactly as the Python library has it. Beside it lies
-- its claim: <fence><mark><owner>. The mark is '-' as granted, '+' once its owner has been told
-- again that the lock is his: what is '+' is not taken back when a reply was lost. A claim of
-- another than the present owner is of the past: others may end or set a lock without telling.
-- Behind the owner, each after a NUL: the id of the request that got it, and the name of the session
-- that has it, the last one that was granted it ("": none).
-- There are few functions here: each costs time in every batch, whether it is called or not.
-- Knows: Redis.  Must not know: which keys its script has.
local call, sub, format = redis.call, string.sub, string.format
local SHARED, PERMITS = "#SHARED", "#PERMITS" -- values of locks with several holders
local NOT_OWNER = "NOTOWNER another owner holds this lock"
local OTHER_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"

local now_of = {} -- values of keys that have changed since they were read; false: none
local doomed = {} -- locks to be deleted at the end -> their claims' keys
local granted = {} -- for the journal: see recall
local last_fence, last_fence_text -- nil: no fence was needed yet
local seconds, seconds_text, micros

-- Redis' time in ms.
local function time_ms()
    if not micros then
        local time = call("TIME")
        seconds_text, seconds = time[1], tonumber(time[1])
        micros = seconds * 1000000 + tonumber(time[2])
    end
    return math.floor(micros / 1000)
end

-- The next fence, as a number and as text; `stored`: what the counter holds.
local function new_fence(stored)
    if not last_fence then
        time_ms()
        last_fence = math.max(tonumber(stored or 0) or 0, micros - 1)
    end
    last_fence = last_fence + 1
    -- Seconds and microseconds side by side, unless Redis' clock went back.
    local low = last_fence - seconds * 1000000
    last_fence_text = low < 1000000 and format("%s%06d", seconds_text, low)
        or format("%.0f", last_fence)
    return last_fence, last_fence_text
end

-- What stands behind the owner, or a share.
local function tail_of(request, session)
    return (request ~= "" or session ~= "") and "\0" .. request .. "\0" .. session or ""
end

-- Times are ms as text; "0" means for ever.
local function put(key, value, timeout)
    if timeout == "0" then
        call("SET", key, value)
    else
        call("SET", key, value, "PX", timeout)
    end
    now_of[key] = value
end
