-- status: one resource.
-- keys: pool notes aside traits journal units
-- args: resource
-- returns: nil for a stranger; else names and values in turn: state(free|leased|quarantined|resting|cleaning|leaving|expired), ttl in ms(-1: permanent, -2: none), expiry(Unix seconds or -1), fence or 0, owner, next(where it goes when its lease ends: ""|quarantined|leaving), why, score, failures in a row, breaker, priority, uses, health(healthy|ill|"": no probe has said anything), health_age_ms(since it changed), probe_latency_us, probe_result, labels, capacity, holders; of several units the state is that of a free one, else of a leased one, else of the first, ttl, fence and owner are those of the lease that ends first, next and why of the first that has some
-- include: pool/outcome.lua
-- include: pool/probes.lua
key.notes, key.aside, key.traits, key.journal = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
key.units = KEYS[6]

local STATES = {
    [aside.QUARANTINED] = "quarantined", [aside.ILL] = "quarantined",
    [aside.TRIPPED] = "quarantined", [aside.LEAVING] = "leaving", [aside.RESTING] = "resting",
    [aside.CLEANING] = "cleaning", [aside.DISPOSED] = "leaving",
    [aside.CLAIMED] = "cleaning",
}

local function state_of(resource, value, ttl_ms, kind)
    if kind then
        return STATES[kind]
    elseif value == key.UNHEALTHY then
        return "quarantined" -- by a Python program
    elseif ttl_ms ~= -2 then
        return "leased"
    elseif prev_of[resource] == ALLOCATED or entry.is_past(expiry_of[resource]) then
        return "expired"
    end
    return "free"
end

-- What a probe said last; nothing when nobody probes any more.
local function health_of(resource)
    local is_probed = probes.summary(key.journal) ~= "none"
    local text = is_probed and trait.of("h", resource) or ""
    local state, since, latency_us, result = string.match(text, "^(%a+) (%d+) (%d+) (.*)$")
    if not state then
        return "", 0, 0, ""
    end
    return state, math.max(clock() - tonumber(since), 0), tonumber(latency_us), result
end

local function look(name)
    local value = key.values({ name })[1] or ""
    local ttl_ms = redis.call("PTTL", key.lease(name))
    local token, owner = note.split(redis.call("HGET", key.notes, name))
    local kind, is_pending = aside.kind_of(name)
    local _, why = aside.reason_of(name)
    local is_aside = kind and not is_pending and ttl_ms ~= -2 and not key.is_token(value)
    return {
        name = name, state = state_of(name, value, ttl_ms, is_aside and kind), ttl_ms = ttl_ms,
        fence = key.fence_of(value), owner = token == value and owner ~= "" and owner,
        next = is_pending and STATES[kind] or "", why = why,
    }
end

-- Does one unit say more of its resource than another?
local RANKS = { free = 3, leased = 2 }
local function is_better(one, other)
    local rank, others = RANKS[one.state] or 1, RANKS[other.state] or 1
    return rank > others
        or rank == others and one.ttl_ms >= 0 and (other.ttl_ms < 0 or one.ttl_ms < other.ttl_ms)
end

local function run()
    local resource, best, lease, next, why = ARGV[1], nil, nil, "", ""
    local holders, uses = 0, 0
    for _, name in ipairs(slot.entries({ resource })) do
        if prev_of[name] == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        end
        local one = look(name)
        best = (not best or is_better(one, best)) and one or best
        if one.state == "leased" then
            lease = (not lease or is_better(one, lease)) and one or lease
            holders = holders + 1
        end
        uses = uses + (tonumber(trait.of("u", name)) or 0)
        next, why = next ~= "" and next or one.next, why ~= "" and why or one.why
    end
    if not best then
        return false
    end
    read_rules()
    lease = lease or best
    local record = slot.is_used and slot.of(resource)
    local _, fails = outcome.of(resource)
    local health, age_ms, latency_us, result = health_of(resource)
    return {
        "state", best.state,
        "ttl", lease.ttl_ms,
        "expiry", tonumber(expiry_of[best.name]),
        "fence", lease.fence,
        "owner", lease.owner,
        "next", next,
        "why", why,
        "score", outcome.score(resource),
        "failures", fails,
        "breaker", outcome.breaker(best.name),
        "priority", tonumber(trait.of("p", resource) or 0),
        "uses", uses,
        "health", health,
        "health_age_ms", age_ms,
        "probe_latency_us", latency_us,
        "probe_result", result,
        "labels", (label.split(trait.of("l", resource))),
        "capacity", record and record.capacity or 1,
        "holders", holders,
    }
end

return run()
