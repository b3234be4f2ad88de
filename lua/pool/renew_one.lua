-- renew_one: a batch of one RENEW. Flat: see malloc_one.
-- keys: pool leases journal
-- args: daemon sequence letter(R|K) resource token("" = whoever holds it) timeout_ms
-- returns: as plain
local call = redis.call
local pool, leases, name, token = KEYS[1], KEYS[2], ARGV[4], ARGV[5]

local known = call("HMGET", KEYS[3], ARGV[1], "rules")
if known[1] and tonumber(string.match(known[1], "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
if known[2] then
    return "FULL" -- they may say how long a lease lasts
end
local lease, timeout_ms = string.sub(pool, 1, -6) .. ":" .. name, tonumber(ARGV[6]) or 0
local its_token = call("MGET", lease)[1]
if not its_token or string.byte(its_token) == 35 or (token ~= "" and token ~= its_token)
    or timeout_ms > 1e15 or call("HEXISTS", pool, name) == 0
    or token == "" and call("HEXISTS", KEYS[3], "units") == 1 then -- it may have several holders
    return "FULL"
end

if ARGV[3] == "K" then
    local ttl_ms = call("PTTL", lease)
    if ttl_ms == -1 or ttl_ms > timeout_ms then
        return { 1 }
    end
end
call("ZCARD", leases) -- of the right type?
if timeout_ms <= 0 then
    call("PERSIST", lease)
    call("ZADD", leases, "+inf", name)
    return { 1 }
end
call("PEXPIRE", lease, ARGV[6])
local time = call("TIME")
local at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + timeout_ms
call("ZADD", leases, string.format("%d%03d", math.floor(at / 1000), at % 1000), name)
return { 1 }
