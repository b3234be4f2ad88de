-- aside: what is out of the free list and leased to nobody: ill, resting, being cleaned.
-- Its lease key has a value that begins with '#', as no token does, so that Python programs leave it
-- alone, too. The index has its deadline like that of a lease, and so it comes back by itself.
--   aside: resource -> its kind; PENDING + kind while it is leased: there it goes when it comes back;
--     what is to be cleaned has a part of one more, by which it stands in the order of its coming
--   trait a: "<until when in ms, 0: until somebody ends it> <why>"
-- The journal has the mark p as long as something is pending.
-- include: pool/index.lua
-- include: pool/pace.lua
local aside = {
    PENDING = 10,
    QUARANTINED = 1, -- by a person, or by a Python program
    ILL = 2, -- by a probe
    LEAVING = 3, -- only pending: it leaves the pool then
    RESTING = 4,
    CLEANING = 5,
    TRIPPED = 6, -- its holders said that it failed
    DISPOSED = 7, -- a program is just disposing of it: see scale
    CLAIMED = 8, -- a daemon is just cleaning it, or it waits for the next try: see clean
}
aside.VALUES = {
    [aside.QUARANTINED] = key.UNHEALTHY, [aside.ILL] = key.UNHEALTHY,
    [aside.RESTING] = "#RESTING", [aside.CLEANING] = "#CLEANING", [aside.TRIPPED] = key.UNHEALTHY,
    [aside.DISPOSED] = "#LEAVING", [aside.CLAIMED] = "#CLEANING",
}

-- Keys of another type are noticed before anything is written.
function aside.open()
    aside.is_none = redis.call("ZCARD", key.aside) == 0
    redis.call("HLEN", key.traits)
end

-- The kind, and whether it is only pending; nil when there is none.
function aside.kind_of(resource)
    if aside.is_none == nil then
        aside.open()
    end
    local code = not aside.is_none and tonumber(redis.call("ZSCORE", key.aside, resource)) or nil
    if code and code > aside.PENDING then
        return code - aside.PENDING, true
    end
    return code and math.floor(code), false
end

-- Until when (0: until somebody ends it) and why.
function aside.reason_of(resource)
    local text = trait.of("a", resource) or "0 "
    local until_ms, why = string.match(text, "^(%d+) (.*)$")
    return tonumber(until_ms) or 0, why or ""
end

local function note_kind(resource, code, until_ms, why)
    aside.is_none = false
    if code == aside.CLEANING then
        code = string.format("%.17g", code + clock() / 2 ^ 42)
    end
    redis.call("ZADD", key.aside, code, resource)
    if until_ms > 0 or why ~= "" then
        trait.set("a", resource, plain(until_ms) .. " " .. why)
    else
        trait.drop("a", resource)
    end
end

-- It is leased: there it goes when it comes back.
function aside.mark(resource, kind, until_ms, why)
    note_kind(resource, aside.PENDING + kind, until_ms, why)
    mark.set("p")
end

-- Sets aside what is outside of the list without a lease. It has a lease key from now on.
function aside.put(resource, kind, until_ms, why)
    local value = aside.VALUES[kind]
    if until_ms > 0 then
        redis.call("SET", key.lease(resource), value, "PX", plain(until_ms - clock()))
    else
        redis.call("SET", key.lease(resource), value)
    end
    value_of[resource] = value
    index.set(resource, until_ms > 0 and until_ms or "+inf")
    note_kind(resource, kind, until_ms, why)
end

-- What is to be cleaned is somebody's, until then: `mark` stands in its lease key.
function aside.claim(resource, mark, until_ms, why)
    aside.put(resource, aside.CLAIMED, until_ms, why)
    value_of[resource] = aside.VALUES[aside.CLAIMED] .. " " .. mark
    redis.call("SET", key.lease(resource), value_of[resource], "KEEPTTL")
end

-- When it is taken back next, it is clean, or counts as that.
function aside.end_cleaning(resource)
    redis.call("ZADD", key.aside, aside.CLEANING, resource)
end

-- Somebody else has put its lease key there.
function aside.adopt(resource)
    aside.forget(resource)
    note_kind(resource, aside.QUARANTINED, 0, "by another program")
end

-- Nothing is said of it any more; its lease key stays.
function aside.forget(resource)
    redis.call("ZREM", key.aside, resource)
    trait.drop("a", resource)
    if redis.call("ZCOUNT", key.aside, aside.PENDING, "+inf") == 0 then
        mark.drop("p")
    end
end

-- Ends what sets it aside, if anything does: it is outside of the list without a lease key then. A
-- mark may be stale, because a Python program has ended it and leased the resource: a lease stays.
-- Returns whether it was aside.
function aside.stop(resource)
    local value = key.values({ resource })[1]
    local is_aside = value and not key.is_token(value)
    if is_aside then
        redis.call("DEL", key.lease(resource))
        value_of[resource] = false
        index.set(resource, false)
    end
    aside.forget(resource)
    return is_aside
end

-- Where a resource goes that comes back by the rules alone: kind, until when. Nil: it is free.
local function place_by_rules(resource, is_lease_end)
    read_rules()
    if rule.clean then
        return aside.CLEANING, 0
    end
    local until_ms = is_lease_end and pace.rest_until(resource)
    if until_ms then
        return aside.RESTING, until_ms
    end
    return nil
end

-- Where a resource goes whose lease or time aside has ended: kind, until when, why; nil: it is free.
-- What was said of it is forgotten.
function aside.place_of(resource)
    local kind, is_pending = aside.kind_of(resource)
    if not kind then
        return place_by_rules(resource, true)
    end
    local until_ms, why = aside.reason_of(resource)
    aside.forget(resource)
    if is_pending and (until_ms == 0 or until_ms > clock()) then
        return kind, until_ms, why
    elseif kind == aside.CLEANING or kind == aside.RESTING or kind == aside.DISPOSED then
        return nil
    elseif kind == aside.CLAIMED then -- whoever cleaned it is gone, or it is time for the next try
        return aside.CLEANING, 0, why
    end
    return place_by_rules(resource, false)
end
