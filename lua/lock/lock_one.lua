-- lock_one: a batch of one LOCK. Flat, without functions, because it is most of what is asked when
-- there is little to do. A daemon's first grant it leaves to batch, which looks after the journal, and
-- so it does when somebody waits for some lock: it answers FULL and has changed nothing.
-- keys: counter journal lock claim
-- args: daemon sequence owner timeout_ms("0": for ever)
-- returns: as batch; or FULL
local call, format = redis.call, string.format

local fields = call("HMGET", KEYS[2], ARGV[1], "waiting")
local known = fields[1]
if not known or fields[2] then
    return "FULL"
elseif tonumber(string.match(known, "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
local owner, timeout = ARGV[3], ARGV[4]
local is_set
if timeout == "0" then
    is_set = call("SET", KEYS[3], owner, "NX")
else
    is_set = call("SET", KEYS[3], owner, "NX", "PX", timeout)
end
if not is_set then
    return { call("GET", KEYS[3]) and false } -- of the right type?
end

-- Seconds and microseconds side by side are the fence, unless Redis' clock went back.
local time = call("TIME")
local fence = tonumber(time[1]) * 1000000 + tonumber(time[2])
local text = format("%s%06d", time[1], time[2])
local last = tonumber(call("GET", KEYS[1]) or 0) or 0
if fence <= last then
    fence = last + 1
    text = format("%.0f", fence)
end
if timeout == "0" then
    call("SET", KEYS[4], text .. "-" .. owner)
else
    call("SET", KEYS[4], text .. "-" .. owner, "PX", timeout)
end
call("SET", KEYS[1], text)
local record = ARGV[2] .. "\0" .. time[1] .. format("%03d", math.floor(time[2] / 1000)) .. "\0X\0"
call("HSET", KEYS[2], ARGV[1],
    record .. KEYS[3] .. "\0" .. KEYS[4] .. "\0" .. owner .. "\0" .. text)
return { fence }
