-- info: a pool in numbers, none of which costs more in a larger pool.
-- keys: pool leases bindings
-- args: (none)
-- returns: [total, leased, permanent, overdue, bindings, next_deadline_ms(-1: none), now_ms]
-- include: prelude.lua
local K_pool, K_leases, K_bindings = KEYS[1], KEYS[2], KEYS[3]

local now = clock()
local first = call("ZRANGE", K_leases, 0, 0, "WITHSCORES")[2]
return {
    call("HLEN", K_pool),
    call("ZCARD", K_leases),
    call("ZCOUNT", K_leases, "+inf", "+inf"),
    call("ZCOUNT", K_leases, "-inf", now),
    call("ZCOUNT", K_bindings, "(" .. plain(now), "+inf"),
    first and first ~= "inf" and tonumber(first) or -1,
    now,
}
