-- assign: the pool has exactly these resources afterwards. New ones come behind the tail in the order
-- given, or where the pool's order wants them; known ones keep their place, but for a new priority, and
-- get the new expiry; without any the pool is cleared.
-- keys: pool head tail gc_cursor leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order
-- args: expiry_ms(and further options: see member) resource...
-- returns: [added, removed]
-- include: pool/member.lua
-- include: pool/serve.lua
key.gc_cursor, key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
key.held, key.notes, key.requests, key.bindings = KEYS[8], KEYS[9], KEYS[10], KEYS[11]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[12], KEYS[13], KEYS[14], KEYS[15]
key.aside, key.traits, key.order = KEYS[16], KEYS[17], KEYS[18]

local function clear()
    local removed = redis.call("HLEN", key.pool)
    local leased = redis.call("ZRANGE", key.index, 0, -1)
    redis.call("ZCARD", key.departed)
    aside.open()
    member.move_deadlines(leased) -- no entry has been read: they are departed
    for _, name in ipairs(redis.call("ZRANGE", key.aside, 0, -1)) do
        aside.stop(name)
    end
    label.clear()
    redis.call("UNLINK", key.pool, key.gc_cursor, key.aside, key.traits, key.order)
    redis.call("SET", key.head, "")
    redis.call("SET", key.tail, "")
    index.write()
    return { 0, removed }
end

local function run()
    if #ARGV < 2 then
        return clear()
    end
    list.open()
    local words = member.words(ARGV[1])
    local refused = member.refused(words)
    if refused then
        return refused
    end
    local all = redis.call("HGETALL", key.pool)
    for i = 1, #all, 2 do
        entry.keep(all[i], all[i + 1])
    end
    local expiry = words.expiry
    local wanted, known, added, removed = {}, {}, {}, {}
    for i = 2, #ARGV do
        local name = ARGV[i]
        if not wanted[name] then
            wanted[name] = true
            if prev_of[name] then
                known[#known + 1] = name
            else
                prev_of[name] = ABSENT
                added[#added + 1] = name
            end
        end
    end
    for i = 1, #all, 2 do
        local name = all[i]
        if not wanted[name] then
            removed[#removed + 1] = name
        elseif prev_of[name] == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        elseif expiry_of[name] ~= expiry then
            list.set_expiry(name, expiry)
        end
    end
    local fault = member.prioritize(known, words.priority)
        or member.remove(removed) or member.add(added, expiry, words.priority)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    serve.finish()
    return { #added, #removed }
end

return run()
