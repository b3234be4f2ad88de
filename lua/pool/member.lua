-- member: resources come into a pool and leave it.
-- include: pool/lease.lua
local member = {}

-- Further options as malloc has them: P priority, C capacity, E: behind each resource stand its own.
local function words_in(more)
    local options = options_of(more)
    return {
        priority = options.P and tonumber(options.P[1]) or nil,
        capacity = options.C and tonumber(options.C[1]) or nil,
        own = options.E and {} or nil,
    }
end

-- What extend and assign are to do, from their arguments: expiry_ms with further options behind it, and
-- resources. Those, and what is said of them: expiry, priority and capacity (nil: none is said), own:
-- resource -> the same of it alone.
function member.words()
    local ms, more = string.match(ARGV[1], "^([^\1]*)\1?(.*)$")
    local words, resources = words_in(more), {}
    words.expiry = entry.expiry_after(span(ms))
    words.has_priority, words.has_capacity = words.priority ~= nil, words.capacity ~= nil
    for i = 2, #ARGV, words.own and 2 or 1 do
        resources[#resources + 1] = ARGV[i]
        if words.own then
            local its = words_in(ARGV[i + 1])
            words.own[ARGV[i]] = its
            words.has_priority = words.has_priority or its.priority ~= nil
            words.has_capacity = words.has_capacity or its.capacity ~= nil
        end
    end
    return words, resources
end

-- What is said of a resource.
function member.words_of(words, resource)
    return words.own and words.own[resource] or words
end

local function priority_of(words, name)
    local resource = slot.split(name)
    return member.words_of(words, resource).priority
end

-- Why that cannot be asked of this pool: an error reply.
function member.refused(words)
    read_rules()
    if words.has_priority and rule.order ~= "priority" then
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

-- These, which are in the pool, have the priority that is said of them from now on; free ones go to
-- their places. Returns a fault, and has done nothing then.
function member.prioritize(names, words)
    local others = {}
    for i = 1, words.has_priority and #names or 0 do
        local priority = priority_of(words, names[i])
        if priority and (tonumber(trait.of("p", names[i]) or 0) or 0) ~= priority then
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
        set_priority(name, priority_of(words, name))
        if entry.is_free(prev_of[name]) then
            list.allocate(name)
            list.push(name, expiry_of[name])
        end
    end
    return nil
end

-- Puts in names that are not in the pool: behind the tail, or as leased ones where a lease of an
-- earlier time lives on (else there would be two holders). words: nil when nothing is said of them.
-- Returns a fault, or nil.
function member.add(names, expiry, words)
    local fault = #names > 0 and list.push_fault()
    if fault then
        return fault
    end
    local all = slot.open() and {} or names
    label.forget(all)
    trait.forget(names, all) -- what was said of them when they were here before
    for i = 1, words and words.has_priority and #names or 0 do
        local priority = priority_of(words, names[i])
        if priority then
            set_priority(names[i], priority)
        end
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
