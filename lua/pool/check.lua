-- check: every broken invariant of the pool, read at one instant.
-- keys: pool head tail leases departed journal aside traits order units
-- args: (none)
-- returns: [total, free, leased, text...], at most 100 texts
-- include: pool/whole.lua
key.index, key.departed = KEYS[4], KEYS[5]
key.journal, key.aside, key.traits = KEYS[6], KEYS[7], KEYS[8]
key.order, key.units = KEYS[9], KEYS[10]

local texts = {}

local function say(what, name)
    if #texts < 100 then
        texts[#texts + 1] = what .. " " .. shown(name)
    end
end

-- Does the free list go from one to the other, both of them free?
local function is_linked(before, after)
    return entry.is_free(prev_of[after]) and prev_of[after] == before
        and (before == "" or (entry.is_free(prev_of[before]) and next_of[before] == after))
end

-- Names that are free, and how many are allocated.
local function sort_entries(names)
    local free, allocated = {}, 0
    for i = 1, #names do
        local prev = prev_of[names[i]]
        if prev == MALFORMED then
            say("the value makes no sense or is half allocated:", names[i])
        elseif prev == ALLOCATED then
            allocated = allocated + 1
        else
            free[#free + 1] = names[i]
        end
    end
    return free, allocated
end

-- The walk from the head: what is wrong with it, and where; nil when it meets all that is free and
-- each leads back, which is all that there is to say about links.
local function walk_fault(free_count)
    local name, before, steps = list.head, "", 0
    while name ~= "" and steps <= free_count do
        if prev_of[name] ~= before then
            return "the walk from the head ends at", name
        end
        steps = steps + 1
        before, name = name, next_of[name]
    end
    if steps > free_count then
        return "the free list is a circle at", name
    elseif before ~= list.tail then
        return "the walk from the head does not end at the tail but at", before
    elseif steps < free_count then
        return "free resources out of the list's reach:", plain(free_count - steps)
    end
    return nil
end

-- The links of one entry.
local function check_links(name)
    local prev, next = prev_of[name], next_of[name]
    if prev == "" and list.head ~= name then
        say("it has no prev and is not the head:", name)
    end
    if next == "" and list.tail ~= name then
        say("it has no next and is not the tail:", name)
    elseif next ~= "" and not is_linked(name, next) then
        say("the one after does not lead back to", name)
    end
    if prev ~= "" and not (entry.is_free(prev_of[prev]) and next_of[prev] == name) then
        say("the one before does not lead to", name)
    end
end

-- The free list as it is linked, once that is known to be sound.
local function check_order(free_count)
    local names, name = {}, list.head
    for i = 1, free_count do
        names[i], name = name, next_of[name]
    end
    place.check(names, say)
end

local function check_list(free)
    local fault, name = walk_fault(#free)
    if fault then
        for i = 1, #free do
            check_links(free[i])
        end
        say(fault, name)
    else
        check_order(#free)
    end
    if (list.head == "") ~= (list.tail == "") then
        say("the free list has one end only:", list.head .. list.tail)
    end
end

local function check_locks(free)
    for name in pairs(key.locked(free)) do
        say("free, but it has a lease key:", name)
    end
end

-- An entry of the index needs a lease key or an allocated entry, or is due and will go.
local function check_index(part)
    local all, names = redis.call("ZRANGE", part, 0, -1, "WITHSCORES"), {}
    for i = 1, #all, 2 do
        local score = all[i + 1]
        local is_due = score ~= "inf" and tonumber(score) <= clock()
        if not is_due and (part == key.departed or prev_of[all[i]] ~= ALLOCATED) then
            names[#names + 1] = all[i]
        end
    end
    local locked = key.locked(names)
    for i = 1, #names do
        if not locked[names[i]] then
            say("in the index without a lease:", names[i])
        end
    end
end

local function check_labels(names, free)
    if redis.call("HLEN", key.traits) + redis.call("HLEN", label.all) == 0 then
        return
    end
    local is_known, is_free = {}, {}
    for i = 1, #names do
        is_known[names[i]], is_known[slot.split(names[i])] = true, true
    end
    for i = 1, #free do
        is_free[free[i]] = true
    end
    for _, fault in ipairs(label.faults(is_free, is_known)) do
        say(fault[1], fault[2])
    end
end

-- What is known of units, against the entries that there are.
local function check_units(names)
    local counts, resources = {}, redis.call("HKEYS", key.units)
    for i = 1, #names do
        local resource = slot.split(names[i])
        counts[resource] = (counts[resource] or 0) + 1
    end
    slot.read(resources)
    for i = 1, #resources do
        local record = slot.of(resources[i])
        if not record or record.entries ~= counts[resources[i]] then
            say("it is said to have other units than it has:", resources[i])
        end
        counts[resources[i]] = nil
    end
    for resource in pairs(counts) do
        say("of its units nothing is known:", resource)
    end
end

local function run()
    local names, unfit = whole_read()
    local free, allocated = sort_entries(names)
    for i = 1, #unfit do
        say("no list can hold the name", unfit[i])
    end
    check_list(free)
    check_locks(free)
    check_index(key.index)
    check_index(key.departed)
    check_labels(names, free)
    if slot.open() then
        check_units(names)
    end
    local reply = { #names + #unfit, #free, allocated }
    for i = 1, #texts do
        reply[i + 3] = texts[i]
    end
    return reply
end

return run()
