-- member: resources come into a pool and leave it.
-- include: pool/lease.lua
local member = {}

-- Puts in names that are not in the pool: behind the tail, or as leased ones where a lease of an
-- earlier time lives on (else there would be two holders). Returns a fault, or nil.
function member.add(names, expiry)
    local fault = #names > 0 and list.push_fault()
    if fault then
        return fault
    end
    trait.forget(names) -- what was said of them when they were here before
    local locked = key.locked(names)
    local has_index = redis.call("ZCARD", key.index) > 0
    if redis.call("ZCARD", key.departed) > 0 then
        index.returned = names
    end
    for i = 1, #names do
        local name = names[i]
        if locked[name] then
            list.put_allocated(name, expiry)
            index.as_it_is(name)
        else
            list.push(name, expiry)
            if has_index then
                index.set(name, false) -- what a Python program has ended
            end
        end
    end
    return nil
end

-- The index entries of those that leave go with them.
function member.move_deadlines(names)
    for i = 1, #names, CHUNK do
        local last = math.min(i + CHUNK - 1, #names)
        local scores = redis.call("ZMSCORE", key.index, unpack(names, i, last))
        for k = i, last do
            if scores[k - i + 1] then
                index.set(names[k], scores[k - i + 1])
            end
        end
    end
end

-- Takes out names that are in the pool. Leases run on. Returns a fault, or nil.
function member.remove(names)
    list.read_neighbours(names)
    for i = 1, #names do
        local name = names[i]
        if prev_of[name] ~= ALLOCATED then
            local fault = list.unlink_fault(name)
            if fault then
                return fault
            end
            list.allocate(name)
        end
        list.remove(name)
    end
    member.move_deadlines(names)
    for i = 1, #names do
        if aside.kind_of(names[i]) then
            aside.stop(names[i])
        end
    end
    return nil
end
