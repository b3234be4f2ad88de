-- scale_begin: should the pool be larger or smaller, and may a program see to it now? Then none but this
-- run may until its time is over. What is to go is out of the free list from here on.
-- keys: pool head tail leases departed journal waiters waiting scaling scale aside traits order units
-- args: run time_ms min_free(0: never larger) max_free(0: never smaller) max_size(0: none) most
-- returns: [what(u: larger, d: smaller, -: nothing now), how many, free, total, waiters, resource...]
-- include: pool/scale.lua
-- include: pool/eta.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.waiters, key.waiting, key.scaling, key.scale = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.aside, key.traits, key.order, key.units = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local MOST_WAITERS = 1000 -- whose requests are looked at

-- How much is free, and is not for those who wait: < 0 when they want more than there is.
local function count()
    local free, total = eta.free()
    local waiters = redis.call("ZCARD", key.waiters)
    local demand = math.max(waiters - MOST_WAITERS, 0)
    local line = waiters > 0 and eta.line(MOST_WAITERS) or {}
    for i = 1, #line do
        demand = demand + (line[i].how == "a" and line[i].count or 1)
    end
    return free, total, waiters, free - demand
end

-- Which way, and how many.
local function plan(total, spare, min_free, max_free, max_size, most)
    local size = slot.open() and redis.call("HLEN", key.units) or total
    local room = max_size > 0 and max_size - size or most
    if min_free > 0 and spare < min_free and room > 0 then
        return "u", math.min(min_free - spare, room, most)
    end
    max_free = math.max(max_free, min_free)
    if tonumber(ARGV[4]) > 0 and spare > max_free then
        return "d", math.min(spare - max_free, most)
    end
    return "-", 0
end

-- May another run begin? One that nobody has told the end of is over with its time.
local function is_free_to_run(what)
    local holder = redis.call("GET", key.scaling)
    local state = redis.call("HMGET", key.scale, "run", what .. "_next")
    if holder and holder ~= ARGV[1] then
        return false
    elseif not holder and state[1] and state[1] ~= ARGV[1] then
        redis.call("HDEL", key.scale, "run")
        redis.call("HSET", key.scale, "error", "the daemon that ran it is gone")
    end
    return (tonumber(state[2]) or 0) <= clock()
end

-- A name of two lines cannot be told to a program, and of several units some may be held.
local function can_go(name)
    local record = slot.open() and slot.of((slot.split(name)))
    return not string.find(name, "\n", 1, true)
        and (not slot.is_used or (record and record.capacity == 1 and record.entries == 1))
end

-- Those that have been free for longest.
local function take(number, until_ms)
    local taken, looked = {}, 0
    list.open()
    local name = list.head
    while name ~= "" and #taken < number and looked < 2 * number do
        local fault = list.unlink_fault(name)
        if fault then
            return fault
        end
        local next = next_of[name]
        if can_go(name) then
            scale.put_aside(name, until_ms)
            taken[#taken + 1] = (slot.split(name))
        end
        looked, name = looked + 1, next
    end
    list.write()
    index.write()
    return nil, taken
end

local function run()
    local free, total, waiters, spare = count()
    local what, number = plan(total, spare, tonumber(ARGV[3]), tonumber(ARGV[4]),
        tonumber(ARGV[5]), tonumber(ARGV[6]))
    if what == "-" or not is_free_to_run(what) then
        return { "-", 0, free, total, waiters }
    end
    local fault, taken
    if what == "d" then
        fault, taken = take(number, clock() + tonumber(ARGV[2]))
        if fault then
            return refusal(fault)
        elseif #taken == 0 then
            return { "-", 0, free, total, waiters }
        end
        number = #taken
    end
    redis.call("SET", key.scaling, ARGV[1], "PX", ARGV[2])
    redis.call("HSET", key.scale, "run", ARGV[1], "what", what, "at", plain(clock()))
    return { what, number, free, total, waiters, unpack(taken or {}) }
end

return run()
