-- assign: the pool has exactly these resources afterwards. New ones come behind the tail in the order
-- given, or where the pool's order wants them; known ones keep their place and capacity, unless another
-- is said, and get the new expiry; without any the pool is cleared.
-- keys: pool head tail gc_cursor leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: expiry_ms(and further options: see member) resource...
-- returns: [added, removed]
-- include: pool/capacity.lua
-- include: pool/serve.lua
key.gc_cursor, key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
key.held, key.notes, key.requests, key.bindings = KEYS[8], KEYS[9], KEYS[10], KEYS[11]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[12], KEYS[13], KEYS[14], KEYS[15]
key.aside, key.traits, key.order, key.units = KEYS[16], KEYS[17], KEYS[18], KEYS[19]

local function clear()
    local removed = redis.call("HLEN", slot.open() and key.units or key.pool)
    local leased = redis.call("ZRANGE", key.index, 0, -1)
    redis.call("ZCARD", key.departed)
    aside.open()
    member.move_deadlines(leased) -- no entry has been read: they are departed
    for _, name in ipairs(redis.call("ZRANGE", key.aside, 0, -1)) do
        aside.stop(name)
    end
    label.clear()
    redis.call("UNLINK", key.pool, key.gc_cursor, key.aside, key.traits, key.order, key.units)
    redis.call("SET", key.head, "")
    redis.call("SET", key.tail, "")
    index.write()
    if redis.call("ZCARD", key.departed) == 0 then
        redis.call("HDEL", key.journal, "units") -- else there are leases of units
    end
    return { 0, removed }
end

local function run()
    if #ARGV < 2 then
        return clear()
    end
    local words, resources = member.words()
    local refused = member.refused(words) or capacity.open(resources, words)
    if refused then
        return refused
    end
    list.open()
    local all, is_there = redis.call("HGETALL", key.pool), {}
    for i = 1, #all, 2 do
        entry.keep(all[i], all[i + 1])
        is_there[slot.split(all[i])] = true
    end
    local expiry = words.expiry
    local wanted, known_ones, added, removed, is_removed, removals = {}, {}, {}, {}, {}, 0
    for _, name in ipairs(resources) do
        if not wanted[name] then
            wanted[name] = true
            if is_there[name] then
                known_ones[#known_ones + 1] = name
            else
                prev_of[name] = ABSENT
                added[#added + 1] = name
            end
        end
    end
    for i = 1, #all, 2 do
        local name, resource = all[i], slot.split(all[i])
        if not wanted[resource] then
            removed[#removed + 1] = name
            removals = removals + (is_removed[resource] and 0 or 1)
            is_removed[resource] = true
        elseif prev_of[name] == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        elseif expiry_of[name] ~= expiry then
            list.set_expiry(name, expiry)
        end
    end
    local known = slot.entries(known_ones)
    local fault = member.prioritize(known, words) or member.remove(removed)
        or capacity.change(known_ones, words) or capacity.bring(added, words)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    serve.finish()
    return { #added, removals }
end

return run()
