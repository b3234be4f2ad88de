-- repair: builds the list anew from the hash and the leases. What is still linked keeps its order, but
-- for that which the pool is to have; entries that make no sense become free ones without an expiry,
-- names that no list can hold leave.
-- keys: pool head tail gc_cursor leases departed journal held notes requests bindings leader waiters waiting granted daemons aside traits order units
-- args: (none)
-- returns: [total, free, leased, changed]
-- include: pool/whole.lua
-- include: pool/serve.lua
key.gc_cursor, key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
key.held, key.notes, key.requests = KEYS[8], KEYS[9], KEYS[10]
key.bindings, key.leader = KEYS[11], KEYS[12]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[13], KEYS[14], KEYS[15], KEYS[16]
key.aside, key.traits, key.order, key.units = KEYS[17], KEYS[18], KEYS[19], KEYS[20]

local order, is_met = {}, {} -- the new list; who has had a look already
local locked

-- Places what follows, but for those who have been locked, as far as the links are mutual.
local function place_chain(name)
    while name ~= "" and entry.is_free(prev_of[name]) and not is_met[name] do
        is_met[name] = true
        if not locked[name] then
            order[#order + 1] = name
        end
        local next = next_of[name]
        if prev_of[next] ~= name then
            return
        end
        name = next
    end
end

-- The first of the piece of list that the name is in.
local function chain_start(name)
    local seen = {}
    local prev = prev_of[name]
    while entry.is_free(prev_of[prev]) and next_of[prev] == name
        and not (is_met[prev] or seen[prev]) do
        seen[prev] = true
        name, prev = prev, prev_of[prev]
    end
    return name
end

-- Pieces of the old list, from its head on, then what is out of reach.
local function place_linked(names)
    place_chain(list.head)
    for i = 1, #order < #names and #names or 0 do
        if entry.is_free(prev_of[names[i]]) and not is_met[names[i]] then
            place_chain(chain_start(names[i]))
        end
    end
end

-- Those outside of the list that should be in it.
local function place_rest(names)
    local rest = {}
    for i = 1, #order < #names and #names or 0 do
        if not is_met[names[i]] and not locked[names[i]] then
            rest[#rest + 1] = names[i]
        end
    end
    table.sort(rest)
    for i = 1, #rest do
        order[#order + 1] = rest[i]
    end
end

-- Gives an entry the links it should have; counts those that had others.
local function relink(name, prev, next)
    if prev_of[name] == prev and next_of[name] == next then
        return 0
    end
    if prev_of[name] == MALFORMED then
        expiry_of[name] = "-1"
    end
    prev_of[name], next_of[name] = prev, next
    list.touch(name)
    return 1
end

local function relink_all(names)
    local count = 0
    local before = ""
    for i = 1, #order do
        count = count + relink(order[i], before, order[i + 1] or "")
        before = order[i]
    end
    for i = 1, #order < #names and #names or 0 do
        if locked[names[i]] then
            count = count + relink(names[i], ALLOCATED, ALLOCATED)
        end
    end
    list.head, list.tail = order[1] or "", order[#order] or ""
    return count
end

-- All of one part of the index; a key of another type is none.
local function read_index(part)
    local all = redis.pcall("ZRANGE", part, 0, -1)
    if is_error(all) then
        redis.call("DEL", part)
        return {}
    end
    return all
end

-- An index with exactly what has a lease key, each in its part.
local function rebuild_index(names)
    local all, is_indexed, count = read_index(key.index), {}, 0
    local living = key.locked(all)
    for i = 1, #all do
        is_indexed[all[i]] = true
        if not living[all[i]] or not prev_of[all[i]] then
            index.as_it_is(all[i])
            count = count + 1
        end
    end
    all = read_index(key.departed)
    living = key.locked(all)
    for i = 1, #all do
        if not living[all[i]] or prev_of[all[i]] then
            index.returned[#index.returned + 1] = all[i]
            count = count + 1
        end
    end
    for i = 1, #names do
        if locked[names[i]] and not is_indexed[names[i]] then
            index.as_it_is(names[i])
            count = count + 1
        end
    end
    return count
end

-- Counts anew which resource has how many units; what is known of their capacity stays.
local function rebuild_units(names)
    if redis.call("EXISTS", key.units) == 0 and not slot.open() then
        return 0
    end
    redis.call("HSET", key.journal, "units", 1)
    slot.is_used = true
    local known, counts = redis.call("HKEYS", key.units), {}
    slot.read(known)
    for i = 1, #names do
        local resource, number = slot.split(names[i])
        local count = counts[resource] or { entries = 0, last = 0 }
        counts[resource] = count
        count.entries, count.last = count.entries + 1, math.max(count.last, number)
    end
    local changed = 0
    for _, resource in ipairs(known) do
        if not counts[resource] then
            changed = changed + redis.call("HDEL", key.units, resource)
        end
    end
    for resource, count in pairs(counts) do
        local record = slot.of(resource) or slot.make(resource, count.entries, count.entries > 1)
        if record.entries ~= count.entries or record.last < count.last then
            record.entries, record.last = count.entries, count.last
            slot.touch(resource)
            changed = changed + 1
        end
    end
    slot.write()
    return changed
end

-- Drops keys of ours that have another type, and notes of leases that have ended.
local function clean_notes()
    local names = redis.call("HKEYS", key.notes)
    local values, stale = key.values(names), {}
    for i = 1, #names do
        if note.split(redis.call("HGET", key.notes, names[i])) ~= values[i] then
            stale[#stale + 1] = names[i]
        end
    end
    note.forget(stale)
    return #stale
end

-- Drops what no note leads to any more.
local function clean_held()
    local members, gone = redis.call("ZRANGE", key.held, 0, -1), {}
    for i = 1, #members do
        local owner, resource = string.match(members[i], "^(%Z*)%z(.*)$")
        local _, its_owner = note.split(resource and redis.call("HGET", key.notes, resource))
        if owner == nil or its_owner ~= owner then
            gone[#gone + 1] = members[i]
        end
    end
    call_each("ZREM", key.held, gone)
    return #gone
end

-- Marks of what is not in the pool, and of what has been given back or leased by others.
local function clean_marks()
    local names, count = redis.call("ZRANGE", key.aside, 0, -1), 0
    for i = 1, #names do
        local _, is_pending = aside.kind_of(names[i])
        local value = key.values({ names[i] })[1]
        local is_aside = value and not key.is_token(value)
        if not prev_of[names[i]] or (not is_pending and not is_aside) then
            aside.forget(names[i])
            count = count + 1
        end
    end
    return count
end

local function clean_requests()
    local ids, gone = redis.call("HKEYS", key.requests), {}
    for i = 1, #ids do
        local parts, is_live = note.request(redis.call("HGET", key.requests, ids[i])), false
        for k = 1, #parts - 1, 2 do
            is_live = is_live or key.values({ parts[k] })[1] == parts[k + 1]
        end
        if not is_live then
            gone[#gone + 1] = ids[i]
        end
    end
    call_each("HDEL", key.requests, gone)
    return #gone
end

-- A key of ours that somebody gave another type would stop the pool for ever.
local function drop_misfits()
    local reads = {
        [key.journal] = "HLEN", [key.notes] = "HLEN", [key.requests] = "HLEN",
        [key.held] = "ZCARD", [key.bindings] = "ZCARD", [key.leader] = "GET",
        [key.waiters] = "ZCARD", [key.waiting] = "HLEN", [key.granted] = "HLEN",
        [key.daemons] = "HLEN", [key.aside] = "ZCARD", [key.traits] = "HLEN", [key.order] = "ZCARD",
        [label.all] = "HLEN", [key.units] = "HLEN", [fair.turns] = "ZCARD", [fair.owners] = "ZCARD",
    }
    local count = 0
    for name, read in pairs(reads) do
        if is_error(redis.pcall(read, name)) then
            count = count + redis.call("DEL", name)
        end
    end
    return count
end

-- Labels and their indexes, when they disagree.
local function rebuild_labels(names)
    if redis.call("HLEN", key.traits) + redis.call("HLEN", label.all) == 0 then
        return 0
    end
    local is_known, is_free = {}, {}
    for i = 1, #names do
        is_known[names[i]], is_known[slot.split(names[i])] = true, true
    end
    for i = 1, #order do
        is_free[order[i]] = true
    end
    local count = #label.faults(is_free, is_known)
    if count > 0 then
        label.rebuild(order, is_known)
    end
    return count
end

local function run()
    local names, unfit = whole_read()
    for i = 1, #unfit do
        list.remove(unfit[i])
    end
    locked = key.locked(names)
    place_linked(names)
    place_rest(names)
    redis.call("DEL", key.gc_cursor) -- the first write: never refused for want of memory
    local changed_count = #unfit + drop_misfits()
    order = place.sort(order)
    changed_count = changed_count + relink_all(names) + (place.rebuild(order) and 1 or 0)
    changed_count = changed_count + clean_notes() + clean_held() + clean_requests()
    changed_count = changed_count + clean_marks()
    changed_count = changed_count + rebuild_index(names) + rebuild_units(names)
    changed_count = changed_count + rebuild_labels(names)
    index.write()
    if list.head ~= list.stored_head or list.tail ~= list.stored_tail then
        changed_count = changed_count + 1
    end
    list.write()
    serve.finish()
    return { #names, #order, #names - #order, changed_count }
end

return run()
