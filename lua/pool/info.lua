-- info: a pool in numbers, none of which costs more in a larger pool.
-- keys: pool leases bindings waiters aside journal
-- args: (none)
-- returns: [total, leased, permanent, overdue, bindings, next_deadline_ms(-1: none), now_ms, waiters, quarantined, resting, cleaning, pending(leased, but to be set aside), rules]
-- include: prelude.lua
local pool, leases, bindings, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local aside, journal = KEYS[5], KEYS[6]

-- Of what is aside by its kind: see aside.
local function count_aside(from, to)
    return redis.call("ZCOUNT", aside, from, to)
end

local now = clock()
local first = redis.call("ZRANGE", leases, 0, 0, "WITHSCORES")[2]
return {
    redis.call("HLEN", pool),
    redis.call("ZCARD", leases) - count_aside("-inf", "(10"),
    redis.call("ZCOUNT", leases, "+inf", "+inf"),
    redis.call("ZCOUNT", leases, "-inf", now),
    redis.call("ZCOUNT", bindings, "(" .. plain(now), "+inf"),
    first and first ~= "inf" and tonumber(first) or -1,
    now,
    redis.call("ZCARD", waiters),
    count_aside(1, 2) + count_aside(6, 6),
    count_aside(4, 4),
    count_aside(5, 5),
    count_aside("(10", "+inf"),
    redis.call("HGET", journal, "rules") or "",
}
