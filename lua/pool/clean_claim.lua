-- clean_claim: gives some of what is to be cleaned to a daemon that will, for a time; those first that
-- came first. Where nothing is cleaned any more, by the rules, they are free.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: mark most time_ms
-- returns: [entry, how often it failed, resource] each
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]
local MOST_FREED = 1000

local function fails_of(why)
    return tonumber(string.match(why, "^(%d+) failed")) or 0
end

-- Is it still as it was put aside? Others may have changed its lease key.
local function is_cleanable(name, value)
    return entry.of(name) == ALLOCATED and value
        and string.sub(value, 1, 9) == aside.VALUES[aside.CLEANING]
end

local function claim(names, until_ms)
    local reply, values = {}, key.values(names)
    for i = 1, #names do
        if is_cleanable(names[i], values[i]) then
            local _, why = aside.reason_of(names[i])
            aside.claim(names[i], ARGV[1], until_ms, why)
            reply[#reply + 1] = names[i]
            reply[#reply + 1] = fails_of(why)
            reply[#reply + 1] = slot.split(names[i])
        else
            aside.forget(names[i])
        end
    end
    return reply
end

local function free_all(names)
    local fault = list.push_fault()
    if fault then
        return refusal(fault)
    end
    local values = key.values(names)
    for i = 1, #names do
        if is_cleanable(names[i], values[i]) then
            redis.call("DEL", key.lease(names[i]))
            value_of[names[i]] = false
            index.set(names[i], false)
            list.take_back(names[i], expiry_of[names[i]])
        else
            aside.forget(names[i])
        end
    end
    return {}
end

local function run()
    read_rules()
    list.open()
    aside.open()
    redis.call("ZCARD", key.index)
    local most = rule.clean and tonumber(ARGV[2]) or MOST_FREED
    local names = redis.call("ZRANGEBYSCORE", key.aside, aside.CLEANING,
        "(" .. aside.CLEANING + 1, "LIMIT", 0, most)
    entry.read(names)
    local reply
    if rule.clean then
        reply = claim(names, clock() + tonumber(ARGV[3]))
    else
        reply = free_all(names)
    end
    index.write()
    list.write()
    if not rule.clean then
        serve.finish()
    end
    return reply
end

return run()
