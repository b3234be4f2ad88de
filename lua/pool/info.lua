-- info: a pool in numbers, none of which costs more in a larger pool.
-- keys: pool leases bindings waiters
-- args: (none)
-- returns: [total, leased, permanent, overdue, bindings, next_deadline_ms(-1: none), now_ms, waiters]
-- include: prelude.lua
local pool, leases, bindings, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local now = clock()
local first = redis.call("ZRANGE", leases, 0, 0, "WITHSCORES")[2]
return {
    redis.call("HLEN", pool),
    redis.call("ZCARD", leases),
    redis.call("ZCOUNT", leases, "+inf", "+inf"),
    redis.call("ZCOUNT", leases, "-inf", now),
    redis.call("ZCOUNT", bindings, "(" .. plain(now), "+inf"),
    first and first ~= "inf" and tonumber(first) or -1,
    now,
    redis.call("ZCARD", waiters),
}
