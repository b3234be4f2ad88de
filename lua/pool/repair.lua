-- repair: builds the list anew from the hash and the leases. What is still linked keeps its order;
-- entries that make no sense become free ones without an expiry.
-- keys: pool head tail gc_cursor leases held notes requests
-- args: (none)
-- returns: [total, free, leased, changed]
-- include: pool/whole.lua
local K_gc_cursor = KEYS[4]
K_leases, K_held, K_notes, K_requests = KEYS[5], KEYS[6], KEYS[7], KEYS[8]

local order, is_placed = {}, {} -- the new list
local locked

local function place(name)
    is_placed[name] = true
    order[#order + 1] = name
end

-- May the name be part of the new list, by its present entry, and is not yet?
local function is_loose(name)
    return is_free(prev_of[name]) and not locked[name] and not is_placed[name]
end

-- Places what follows: over those who have been locked, as far as the links are mutual.
local function place_chain(name)
    local seen = {}
    while name ~= "" and is_free(prev_of[name]) and not is_placed[name] and not seen[name] do
        seen[name] = true
        if not locked[name] then
            place(name)
        end
        local next = next_of[name]
        if next == "" or not whole_is_linked(name, next) then
            return
        end
        name = next
    end
end

-- The first of the piece of list that the name is in.
local function chain_start(name)
    local seen = {}
    local prev = prev_of[name]
    while prev ~= "" and not seen[name] and not is_placed[prev] and whole_is_linked(prev, name) do
        seen[name] = true
        name = prev
        prev = prev_of[name]
    end
    return name
end

-- Pieces of the old list, from its head on, then what is out of reach.
local function place_linked(names)
    if is_free(prev_of[head]) then
        place_chain(head)
    end
    for i = 1, #names do
        if is_loose(names[i]) then
            place_chain(chain_start(names[i]))
        end
    end
end

-- Those outside of the list that should be in it.
local function place_rest(names)
    local rest = {}
    for i = 1, #names do
        local name = names[i]
        if not is_placed[name] and not locked[name] then
            rest[#rest + 1] = name
        end
    end
    table.sort(rest)
    for i = 1, #rest do
        place(rest[i])
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
    touch(name)
    return 1
end

local function relink_all(names)
    local count = 0
    for i = 1, #order do
        count = count + relink(order[i], order[i - 1] or "", order[i + 1] or "")
    end
    for i = 1, #names do
        if locked[names[i]] then
            count = count + relink(names[i], ALLOCATED, ALLOCATED)
        end
    end
    head, tail = order[1] or "", order[#order] or ""
    return count
end

-- An index with exactly what has a lease key; a key of another type is none.
local function rebuild_index(names)
    local all = try("ZRANGE", K_leases, 0, -1)
    if is_error(all) then
        call("DEL", K_leases)
        all = {}
    end
    local is_indexed, count = {}, 0
    local living = locked_among(all)
    for i = 1, #all do
        is_indexed[all[i]] = true
        if not living[all[i]] then
            index_set(all[i], false)
            count = count + 1
        end
    end
    for i = 1, #names do
        if locked[names[i]] and not is_indexed[names[i]] then
            index_as_it_is(names[i])
            count = count + 1
        end
    end
    return count
end

-- Drops keys of ours that have another type, and notes of leases that have ended.
local function clean_notes()
    for key, read in pairs({ [K_held] = "ZCARD", [K_notes] = "HLEN", [K_requests] = "HLEN" }) do
        if is_error(try(read, key)) then
            call("DEL", key)
        end
    end
    local names = call("HKEYS", K_notes)
    local values, stale = lease_values(names), {}
    for i = 1, #names do
        if note_split(call("HGET", K_notes, names[i])) ~= values[i] then
            stale[#stale + 1] = names[i]
        end
    end
    note_forget_all(stale)
    return #stale
end

-- Drops what no note leads to any more.
local function clean_held()
    local members, gone = call("ZRANGE", K_held, 0, -1), {}
    for i = 1, #members do
        local owner, resource = match(members[i], "^(%Z*)%z(.*)$")
        local _, its_owner = note_split(resource and call("HGET", K_notes, resource))
        if owner == nil or its_owner ~= owner then
            gone[#gone + 1] = members[i]
        end
    end
    call_each("ZREM", K_held, gone)
    return #gone
end

local function clean_requests()
    local ids, gone = call("HKEYS", K_requests), {}
    for i = 1, #ids do
        local parts, is_live = request_split(call("HGET", K_requests, ids[i])), false
        for k = 1, #parts - 1, 2 do
            is_live = is_live or lease_values({ parts[k] })[1] == parts[k + 1]
        end
        if not is_live then
            gone[#gone + 1] = ids[i]
        end
    end
    call_each("HDEL", K_requests, gone)
    return #gone
end

local function run()
    local names = whole_read()
    locked = locked_among(names)
    place_linked(names)
    place_rest(names)
    local changed_count = relink_all(names)
    call("DEL", K_gc_cursor) -- the first write: never refused for want of memory
    changed_count = changed_count + clean_notes() + clean_held() + clean_requests()
    changed_count = changed_count + rebuild_index(names)
    index_write()
    if head ~= stored_head or tail ~= stored_tail then
        changed_count = changed_count + 1
    end
    list_write()
    return { #names, #order, #names - #order, changed_count }
end

return run()
