-- list: the free list, a doubly linked list in the pool's hash.
-- Works in memory and is written by list.write(), so that a script that finds a fault before that has
-- changed nothing.  Every link is doubted before it is followed.
-- Knows: the first three keys of its script, pool head tail.  Must not know: leases.
-- The script sets what trait wants.
-- include: pool/entry.lua
-- include: pool/label.lua
key.head, key.tail = KEYS[2], KEYS[3]
local list = {
    head = "", tail = "", stored_head = "", stored_tail = "",
    changed = {}, is_changed = {}, -- names whose entries are to be written
}

-- The ends as Redis has them (nil or false: the key is missing).
function list.start(head_value, tail_value)
    list.stored_head, list.stored_tail = head_value or "", tail_value or ""
    list.head, list.tail = list.stored_head, list.stored_tail
end

function list.open()
    local ends = redis.call("MGET", key.head, key.tail)
    list.start(ends[1], ends[2])
end

-- What a look at the links of these will ask for, in one go.
function list.read_neighbours(names)
    local neighbours = {}
    for i = 1, #names do
        local prev, next = entry.of(names[i]), next_of[names[i]]
        if entry.is_free(prev) then
            neighbours[#neighbours + 1] = prev ~= "" and prev or nil
            neighbours[#neighbours + 1] = next ~= "" and next or nil
        end
    end
    entry.read(neighbours)
end

-- Why the name cannot be taken out of the list; nil when it can.
function list.unlink_fault(name)
    local prev = entry.of(name)
    if not entry.is_free(prev) then
        return broken("the free list leads to what is not free:", name)
    end
    local next = next_of[name]
    if prev == "" then
        if list.head ~= name then
            return broken("it has no prev and is not the head:", name)
        end
    elseif not entry.is_free(entry.of(prev)) or next_of[prev] ~= name then
        return broken("the one before does not lead to", name)
    end
    if next == "" then
        if list.tail ~= name then
            return broken("it has no next and is not the tail:", name)
        end
    elseif not entry.is_free(entry.of(next)) or prev_of[next] ~= name then
        return broken("the one after does not lead back to", name)
    end
    return nil
end

-- Why nothing can be put behind the tail; nil when something can.
function list.push_fault()
    if list.tail == "" or list.head == "" then
        if list.tail ~= list.head then
            return broken("the free list has one end only:", list.head .. list.tail)
        end
        return nil
    end
    if not entry.is_free(entry.of(list.tail)) or next_of[list.tail] ~= "" then
        return broken("the tail is not the end of the free list:", list.tail)
    end
    return nil
end

function list.touch(name)
    if not list.is_changed[name] then
        list.is_changed[name] = true
        list.changed[#list.changed + 1] = name
    end
end

-- Takes the name out of the list: list.unlink_fault() has found nothing. It is an allocated one now.
function list.allocate(name)
    local prev, next = prev_of[name], next_of[name]
    if prev == "" then
        list.head = next
    else
        next_of[prev] = next
        list.touch(prev)
    end
    if next == "" then
        list.tail = prev
    else
        prev_of[next] = prev
        list.touch(next)
    end
    prev_of[name], next_of[name] = ALLOCATED, ALLOCATED
    list.touch(name)
    label.note(name, false)
end

-- Is it in the list, and the link to what follows it sound? "" stands for what is before the head.
function list.is_linked(name)
    local next = list.head
    if name ~= "" then
        if not entry.is_free(entry.of(name)) then
            return false
        end
        next = next_of[name]
    end
    if next == "" then
        return list.tail == name
    end
    return entry.is_free(entry.of(next)) and prev_of[next] == name
end

-- Puts a name that is not in the list behind this one: list.is_linked() has said yes.
function list.link(name, before, expiry)
    local next = list.head
    if before == "" then
        list.head = name
    else
        next = next_of[before]
        next_of[before] = name
        list.touch(before)
    end
    prev_of[name], next_of[name], expiry_of[name] = before, next, expiry
    list.touch(name)
    if next == "" then
        list.tail = name
    else
        prev_of[next] = name
        list.touch(next)
    end
    label.note(name, true)
end

-- Puts a name that is not in the list behind the tail: list.push_fault() has found nothing.
function list.append(name, expiry)
    list.link(name, list.tail, expiry)
end

-- Hears which names are outside of the list now: see place.
function list.left() end

-- Makes it an entry outside of the list.
function list.put_allocated(name, expiry)
    prev_of[name], next_of[name], expiry_of[name] = ALLOCATED, ALLOCATED, expiry
    list.touch(name)
end

function list.set_expiry(name, expiry)
    expiry_of[name] = expiry
    list.touch(name)
end

-- Takes a name that is not in the list out of the pool.
function list.remove(name)
    if prev_of[name] then
        slot.count(name, -1)
    end
    prev_of[name], next_of[name], expiry_of[name] = ABSENT, nil, nil
    list.touch(name)
end

-- Writes what has changed since it was last done.
function list.write()
    local values, gone, left = {}, {}, {}
    for i = 1, #list.changed do
        local name = list.changed[i]
        local prev = prev_of[name]
        left[#left + 1] = not entry.is_free(prev) and name or nil
        if prev then
            values[#values + 1] = name
            values[#values + 1] = prev .. "||" .. next_of[name] .. "||" .. expiry_of[name]
        else
            gone[#gone + 1] = name
        end
    end
    call_each("HDEL", key.pool, gone) -- first: who leaves makes room, and is never refused
    label.write()
    local lost = slot.open() and slot.write() or gone
    if #gone > 0 then
        label.forget(lost)
        trait.forget(gone, lost)
    end
    if #left > 0 then
        list.left(left)
    end
    call_each("HSET", key.pool, values)
    if list.head ~= list.stored_head then
        redis.call("SET", key.head, list.head)
    end
    if list.tail ~= list.stored_tail then
        redis.call("SET", key.tail, list.tail)
    end
    list.changed, list.is_changed = {}, {}
    list.stored_head, list.stored_tail = list.head, list.tail
end
