-- free_one: a batch of one plain FREE: one resource, its expiry stays. Flat: see malloc_one.
-- keys: pool head tail leases journal
-- args: daemon sequence resource token("" = whoever holds it)
-- returns: as plain
local call, sub = redis.call, string.sub
local pool, name, token = KEYS[1], ARGV[3], ARGV[4]

local known = call("HMGET", KEYS[5], ARGV[1], "waiting", "rules", "marks")
if known[1] and tonumber(string.match(known[1], "^%d+") or 0) >= tonumber(ARGV[2]) then
    return redis.error_reply("STALE this batch has been done or recalled")
end
if known[2] or known[3] or known[4] then
    return "FULL" -- what comes free is for those who wait, or goes where rules and marks say
end
local lease = sub(pool, 1, -6) .. ":" .. name
local values = call("MGET", lease, KEYS[2], KEYS[3])
local its_token, head, tail = values[1], values[2] or "", values[3] or ""
-- A lease of a Python program has no "-": what is said of its resource may be stale.
if not its_token or string.byte(its_token) == 35 or string.find(its_token, "+", 1, true)
    or not string.find(its_token, "-", 1, true) or (token ~= "" and token ~= its_token)
    or (head == "") ~= (tail == "") then
    return "FULL"
end

-- The places of the "||" before the expiries are known where these are "-1", else looked for.
local entries = call("HMGET", pool, name, tail)
local entry, tail_entry = entries[1], entries[2]
if entry ~= "#ALLOCATED||#ALLOCATED||-1" then
    local expiry = entry and string.match(entry, "^#ALLOCATED||#ALLOCATED||(%d+)$")
    if not expiry or tonumber(expiry) <= tonumber(call("TIME")[1]) then
        return "FULL"
    end
end
local prev, expiry = "", ""
if tail ~= "" then
    if tail_entry and sub(tail_entry, -6) == "||||-1" then
        prev, expiry = sub(tail_entry, 1, -7), "||-1"
    else
        prev, expiry = string.match(tail_entry or "", "^(.*)||(||%d+)$")
    end
    if not prev or prev == "#ALLOCATED" then
        return "FULL"
    end
end

call("ZREM", KEYS[4], name)
call("DEL", lease)
local new_entry = tail .. "||" .. sub(entry, 23) -- its expiry with "||" before it
if tail == "" then
    call("HSET", pool, name, new_entry)
    call("SET", KEYS[2], name)
else
    call("HSET", pool, name, new_entry, tail, prev .. "||" .. name .. expiry)
end
call("SET", KEYS[3], name)
return { 1 }
