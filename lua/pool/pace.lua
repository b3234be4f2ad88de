-- pace: how often something may be granted: rules `rate` (each resource) and `pool_rate`, both
-- "<span in us>/<how many in it>", and `rest`, the ms between two leases of one resource.
-- A rate is kept by one instant, as in the generic cell rate algorithm (ITU-T I.371): when all that was
-- granted would have been granted at an even pace; it may be up to one span ahead of now. Of a resource
-- it is trait t, of the pool the journal's field `pace`, both in us.
-- include: pool/trait.lua
-- include: pool/rule.lua
local pace = { ahead = {} } -- resource -> its instant, as far as it is known; "" is the pool

-- Span and step of a rule, in us; nil without the rule, which is said of each resource: at once.
local function rate_of(name)
    if not rule[name] then
        return nil
    end
    local span_us, count = string.match(rule[name], "^(%d+)/(%d+)$")
    if span_us then
        return tonumber(span_us), tonumber(span_us) / tonumber(count)
    end
    return nil
end

local function instant_of(resource)
    if not pace.ahead[resource] then
        local stored
        if resource == "" then
            stored = redis.call("HGET", key.journal, "pace")
        else
            stored = trait.of("t", resource)
        end
        pace.ahead[resource] = tonumber(stored or 0) or 0
    end
    clock()
    -- A clock that was set back does not stop what it has granted.
    local span_us = rate_of(resource == "" and "pool_rate" or "rate")
    return math.min(pace.ahead[resource], now_us + 2 * span_us)
end

-- How many more the pool may grant now.
function pace.left()
    local span_us, step_us = rate_of("pool_rate")
    if not span_us then
        return math.huge
    end
    local instant = instant_of("")
    return math.floor((now_us + span_us - math.max(instant, now_us)) / step_us + 1e-9)
end

-- In how many ms the pool may grant another one: 0: now.
function pace.next_ms()
    local span_us, step_us = rate_of("pool_rate")
    if not span_us or pace.left() > 0 then
        return 0
    end
    local instant = instant_of("")
    return math.ceil((instant + step_us - span_us - now_us) / 1000)
end

local function advance(resource, step_us)
    local instant = instant_of(resource)
    pace.ahead[resource] = math.max(instant, now_us) + step_us
    return plain(pace.ahead[resource])
end

-- This one has been granted.
function pace.note(resource)
    local _, pool_step_us = rate_of("pool_rate")
    if pool_step_us then
        redis.call("HSET", key.journal, "pace", advance("", pool_step_us))
    end
    local _, step_us = rate_of("rate")
    if step_us then
        trait.set("t", resource, advance(resource, step_us))
    end
end

-- Do resources rest at all?
function pace.is_resting()
    return rule.rest or rule.rate
end

-- Until when (ms) a resource that comes back now rests; nil: it does not.
function pace.rest_until(resource)
    if not pace.is_resting() then
        return nil
    end
    local until_ms = rule.rest and clock() + rule.rest or 0
    local span_us, step_us = rate_of("rate")
    if span_us then
        local next_us = instant_of(resource) + step_us - span_us
        until_ms = math.max(until_ms, next_us > now_us and math.ceil(next_us / 1000) or 0)
    end
    return until_ms > clock() and until_ms or nil
end
