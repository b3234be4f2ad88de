-- status: one resource.
-- keys: pool notes aside traits journal
-- args: resource
-- returns: nil for a stranger; else names and values in turn: state(free|leased|quarantined|resting|cleaning|leaving|expired), ttl in ms(-1: permanent, -2: none), expiry(Unix seconds or -1), fence or 0, owner, next(where it goes when its lease ends: ""|quarantined|leaving), why, score, failures in a row, breaker, priority, uses, health(healthy|ill|"": no probe has said anything), health_age_ms(since it changed), probe_latency_us, probe_result, labels(k=v, sorted, as one text)
-- include: pool/outcome.lua
-- include: pool/probes.lua
key.notes, key.aside, key.traits, key.journal = KEYS[2], KEYS[3], KEYS[4], KEYS[5]

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

local function run()
    local resource = ARGV[1]
    local prev = entry.of(resource)
    if prev == ABSENT then
        return false
    elseif prev == MALFORMED then
        return refusal(broken("the entry makes no sense:", resource))
    end
    local value = key.values({ resource })[1] or ""
    local ttl_ms = redis.call("PTTL", key.lease(resource))
    local token, owner = note.split(redis.call("HGET", key.notes, resource))
    local kind, is_pending = aside.kind_of(resource)
    local _, why = aside.reason_of(resource)
    local is_aside = kind and not is_pending and ttl_ms ~= -2 and not key.is_token(value)
    local _, fails = outcome.of(resource)
    local health, age_ms, latency_us, result = health_of(resource)
    read_rules()
    return {
        "state", state_of(resource, value, ttl_ms, is_aside and kind),
        "ttl", ttl_ms,
        "expiry", tonumber(expiry_of[resource]),
        "fence", key.fence_of(value),
        "owner", token == value and owner ~= "" and owner,
        "next", is_pending and STATES[kind] or "",
        "why", why,
        "score", outcome.score(resource),
        "failures", fails,
        "breaker", outcome.breaker(resource),
        "priority", tonumber(trait.of("p", resource) or 0),
        "uses", tonumber(trait.of("u", resource) or 0),
        "health", health,
        "health_age_ms", age_ms,
        "probe_latency_us", latency_us,
        "probe_result", result,
        "labels", (label.split(trait.of("l", resource))),
    }
end

return run()
