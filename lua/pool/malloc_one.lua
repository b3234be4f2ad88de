-- malloc_one: a batch of one plain MALLOC: an exclusive pool, no option but a timeout. Flat, without
-- functions, because it is most of what a pool is asked when there is little to do.
-- Whatever is not plain (a lock, an expired head, due leases, a fault) it leaves to batch: it answers
-- FULL and has changed nothing. What it does is what batch would do.
-- keys: pool head tail leases journal
-- args: daemon sequence timeout_ms random
-- returns: as plain
local call, sub = redis.call, string.sub
local pool, leases = KEYS[1], KEYS[4]
local FOR_EVER = "#ALLOCATED||#ALLOCATED||-1"

local known = call("HMGET", KEYS[5], "fence", ARGV[1], "waiting", "rules", "marks",
    "units")
if known[2] and tonumber(string.match(known[2], "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
if known[3] or known[4] or known[5] or known[6] then
    return "FULL" -- what is free is for those who wait, or handed out as rules and marks say
end
local time = call("TIME")
local seconds, us = tonumber(time[1]), tonumber(time[2])
local now_ms = seconds * 1000 + math.floor(us / 1000)

local name = call("GET", KEYS[2]) or ""
if name == "" then
    call("HLEN", pool) -- of the right type?
    local is_empty = (call("GET", KEYS[3]) or "") == ""
        and call("ZCOUNT", leases, "-inf", string.format("%.0f", now_ms)) == 0
    return is_empty and { false } or "FULL"
end

-- Its entry, and that of the next one, which must lead back.
local entry = call("HGET", pool, name)
if not entry or sub(entry, 1, 2) ~= "||" then
    return "FULL"
end
local next, mark, expiry = sub(entry, 3, -5), sub(entry, -4), "-1"
if mark ~= "||-1" then
    next, expiry = string.match(entry, "^||(.*)||(%d+)$")
    if not next or tonumber(expiry) <= seconds then
        return "FULL"
    end
end
local rest -- of the next one's entry, behind its prev
if next == "" then
    if call("GET", KEYS[3]) ~= name then
        return "FULL"
    end
else
    local prefix = name .. "||"
    local its_entry = call("HGET", pool, next)
    if not its_entry or sub(its_entry, 1, #prefix) ~= prefix then
        return "FULL"
    end
    rest = sub(its_entry, #prefix + 1)
    -- A prev that ends in '|' can be mistaken for a shorter one, but for what stands behind it then.
    if string.byte(rest) == 124 and not string.find(rest, "^||%-?%d+$")
        or not string.find(rest, "||", 1, true) then
        return "FULL"
    end
end

-- Seconds and microseconds side by side are the fence, unless Redis' clock went back.
local fence = seconds * 1000000 + us
local fence_text = string.format("%s%06d", time[1], us)
local last = tonumber(known[1] or 0) or 0
if fence <= last then
    fence = last + 1
    fence_text = string.format("%.0f", fence)
end
local token, timeout_ms = fence_text .. "-" .. ARGV[4], tonumber(ARGV[3]) or 0
local lease, deadline = sub(pool, 1, -6) .. ":" .. name, "+inf"
if timeout_ms > 1e15 then
    return "FULL"
elseif timeout_ms <= 0 then
    timeout_ms = -1
end
if not (timeout_ms > 0 and call("SET", lease, token, "NX", "PX", ARGV[3])
    or timeout_ms < 0 and call("SET", lease, token, "NX")) then
    return "FULL"
end
if timeout_ms > 0 then
    local at = now_ms + timeout_ms
    deadline = string.format("%d%03d", math.floor(at / 1000), at % 1000)
end
if type(redis.pcall("ZADD", leases, deadline, name)) ~= "number" then
    call("DEL", lease) -- the index is of another type: batch says so
    return "FULL"
end
local taken = expiry == "-1" and FOR_EVER or "#ALLOCATED||#ALLOCATED||" .. expiry
if rest then
    call("HSET", pool, name, taken, next, "||" .. rest)
else
    call("HSET", pool, name, taken)
    call("SET", KEYS[3], "")
end
call("SET", KEYS[2], next)
local record = ARGV[2] .. "\0" .. time[1] .. string.format("%03d", math.floor(us / 1000))
    .. "\0" .. fence_text .. "\0" .. fence_text .. "\0" .. name
call("HSET", KEYS[5], "fence", fence_text, ARGV[1], record)
return { token .. name }
