-- clean_end: how the cleaning of a resource ended. Clean: it is free. Failed: it is tried again after a
-- pause, twice as long each time, or is in quarantine when that was tried often enough.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: mark entry how(clean|failed|undone: nobody has tried) error retries pause_ms longest_ms quarantine_ms(<= 0: for ever)
-- returns: 0: it is not this daemon's to clean any more; 1: free; 2: it will be tried again; 3: quarantined
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]
local mark, resource, how, why = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function fail()
    local _, earlier = aside.reason_of(resource)
    local fails = (tonumber(string.match(earlier, "^(%d+) failed")) or 0) + 1
    if fails > tonumber(ARGV[5]) then
        local time_ms = span(ARGV[8])
        aside.put(resource, aside.QUARANTINED, time_ms > 0 and clock() + time_ms or 0,
            "cleaning failed: " .. why)
        return 3
    end
    local pause_ms = math.min(tonumber(ARGV[6]) * 2 ^ math.min(fails - 1, 30), tonumber(ARGV[7]))
    aside.claim(resource, "-", clock() + pause_ms, plain(fails) .. " failed: " .. why)
    return 2
end

local function undo()
    local _, earlier = aside.reason_of(resource)
    aside.put(resource, aside.CLEANING, 0, earlier)
    return 2
end

local function free_it()
    local fault = list.push_fault()
    if fault then
        return refusal(fault)
    end
    aside.end_cleaning(resource)
    redis.call("DEL", key.lease(resource))
    value_of[resource] = false
    index.set(resource, false)
    list.take_back(resource, expiry_of[resource])
    return 1
end

local function run()
    list.open()
    aside.open()
    redis.call("ZCARD", key.index)
    if key.values({ resource })[1] ~= aside.VALUES[aside.CLAIMED] .. " " .. mark
        or entry.of(resource) ~= ALLOCATED then
        return 0
    end
    local reply
    if how == "failed" then
        reply = fail()
    elseif how == "undone" then
        reply = undo()
    else
        reply = free_it()
    end
    index.write()
    list.write()
    serve.finish()
    return reply
end

return run()
