-- info: a pool in numbers, none of which costs more in a larger pool.
-- keys: pool leases bindings waiters aside journal scaling scale units
-- args: (none)
-- returns: names and values in turn: total, free, leased, quarantined, resting, cleaning, pending(leased, but to be set aside), permanent, overdue, waiters, bindings, next_deadline_ms(from now; -1: none), order, rules, leaving, probe(none|tcp|...), healthy, ill, unprobed, probe_round_ms, probes_held, probe_trouble, scaling(up|down|idle: which program runs), scaling_since_ms(its start, or that of the last one; -1: none), scaling_count(how many came or went), scaling_error, scaling_next_ms(until another may run), capacity(units; total counts resources, all others units)
-- include: pool/key.lua
-- include: pool/rule.lua
-- include: pool/probes.lua
local pool, leases, bindings, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local aside = KEYS[5]
key.journal = KEYS[6]
local units = KEYS[9]

-- Of what is aside by its kind: see aside.
local function count_aside(from, to)
    return redis.call("ZCOUNT", aside, from, to)
end

local now, capacity = clock(), redis.call("HLEN", pool)
local has_units = redis.call("HEXISTS", key.journal, "units") == 1
local first = redis.call("ZRANGE", leases, 0, 0, "WITHSCORES")[2]
local next_ms = first and first ~= "inf" and math.max(tonumber(first) - now, 0) or -1
local kept = redis.call("ZCARD", leases) -- leased or aside
-- See scale.
local scaling = redis.call("HMGET", KEYS[8], "what", "at", "count", "error", "u_next", "d_next")
local is_scaling = redis.call("EXISTS", KEYS[7]) == 1
local scaling_next = scaling[1] == "u" and scaling[5] or scaling[6]

read_rules()
local kind, healthy, ill, unprobed, round_ms, held, trouble = probes.summary(key.journal)

return {
    "total", has_units and redis.call("HLEN", units) or capacity,
    "free", math.max(capacity - kept, 0),
    "leased", kept - count_aside("-inf", "(10"),
    "quarantined", count_aside(1, 2) + count_aside(6, 6),
    "resting", count_aside(4, 4),
    "cleaning", count_aside(5, "(6") + count_aside(8, 8),
    "pending", count_aside("(10", "+inf"),
    "permanent", redis.call("ZCOUNT", leases, "+inf", "+inf"),
    "overdue", redis.call("ZCOUNT", leases, "-inf", now),
    "waiters", redis.call("ZCARD", waiters),
    "bindings", redis.call("ZCOUNT", bindings, "(" .. plain(now), "+inf"),
    "next_deadline_ms", next_ms,
    "order", rule.order or "fifo",
    "rules", redis.call("HGET", key.journal, "rules") or "",
    "leaving", count_aside(7, 7),
    "probe", kind,
    "healthy", healthy,
    "ill", ill,
    "unprobed", unprobed,
    "probe_round_ms", round_ms,
    "probes_held", held,
    "probe_trouble", trouble,
    "scaling", is_scaling and (scaling[1] == "u" and "up" or "down") or "idle",
    "scaling_since_ms", scaling[2] and now - tonumber(scaling[2]) or -1,
    "scaling_count", tonumber(scaling[3]) or 0,
    "scaling_error", scaling[4] or "",
    "scaling_next_ms", math.max((tonumber(scaling_next) or 0) - now, 0),
    "capacity", capacity,
}
