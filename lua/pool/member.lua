-- member: resources come into a pool and leave it.
-- include: pool/lease.lua
local member = {}

-- What extend and assign are to do, from their first argument: expiry_ms, and behind it further options
-- as malloc has them: P priority, C capacity.
function member.words(text)
    local ms, more = string.match(text, "^([^\1]*)\1?(.*)$")
    local options = options_of(more)
    return {
        expiry = entry.expiry_after(span(ms)),
        priority = options.P and tonumber(options.P[1]) or nil,
        capacity = options.C and tonumber(options.C[1]) or nil,
    }
end

-- Why that cannot be asked of this pool: an error reply.
function member.refused(words)
    read_rules()
    if words.priority and rule.order ~= "priority" then
        return refusal("ERR PRIORITY goes with order = priority; the order of this pool is "
            .. (rule.order or "fifo"))
    end
    return nil
end

local function set_priority(name, priority)
    if priority == 0 then
        trait.drop("p", name)
    else
        trait.set("p", name, plain(priority))
    end
end

-- These, which are in the pool, have this priority from now on (nil: none was given); free ones go to
-- their places. Returns a fault, and has done nothing then.
function member.prioritize(names, priority)
    local others = {}
    for i = 1, priority and #names or 0 do
        if (tonumber(trait.of("p", names[i]) or 0) or 0) ~= priority then
            others[#others + 1] = names[i]
        end
    end
    list.read_neighbours(others)
    local fault = #others > 0 and list.push_fault() or nil
    for i = 1, #others do
        fault = fault or entry.is_free(entry.of(others[i])) and list.unlink_fault(others[i]) or nil
    end
    if fault then
        return fault
    end
    for i = 1, #others do
        local name = others[i]
        set_priority(name, priority)
        if entry.is_free(prev_of[name]) then
            list.allocate(name)
            list.push(name, expiry_of[name])
        end
    end
    return nil
end

-- Puts in names that are not in the pool: behind the tail, or as leased ones where a lease of an
-- earlier time lives on (else there would be two holders). Returns a fault, or nil.
function member.add(names, expiry, priority)
    local fault = #names > 0 and list.push_fault()
    if fault then
        return fault
    end
    local all = slot.open() and {} or names
    label.forget(all)
    trait.forget(names, all) -- what was said of them when they were here before
    for i = 1, priority and priority ~= 0 and #names or 0 do
        set_priority(names[i], priority)
    end
    local locked = key.locked(names)
    local has_index = redis.call("ZCARD", key.index) > 0
    if redis.call("ZCARD", key.departed) > 0 then
        index.returned = names
    end
    for i = 1, #names do
        local name = names[i]
        slot.count(name, 1)
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
