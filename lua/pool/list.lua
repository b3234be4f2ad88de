-- list: the free list, a doubly linked list in the pool's hash.
-- Works in memory and is written by list_write(), so that a script that finds a fault before that has
-- changed nothing.  Every link is doubted before it is followed.
-- Knows: the first three keys of its script, pool head tail.  Must not know: leases.
-- include: pool/entry.lua
local K_head, K_tail = KEYS[2], KEYS[3]
local changed, is_changed = {}, {}
local head, tail, stored_head, stored_tail

-- The ends as Redis has them (nil or false: the key is missing).
local function list_start(head_value, tail_value)
    stored_head, stored_tail = head_value or "", tail_value or ""
    head, tail = stored_head, stored_tail
end

local function list_open()
    local ends = call("MGET", K_head, K_tail)
    list_start(ends[1], ends[2])
end

-- Why the name cannot be taken out of the list; nil when it can.
local function list_unlink_fault(name)
    local prev = entry_of(name)
    if not is_free(prev) then
        return broken("the free list leads to what is not free:", name)
    end
    local next = next_of[name]
    if prev == "" then
        if head ~= name then
            return broken("it has no prev and is not the head:", name)
        end
    elseif not is_free(entry_of(prev)) or next_of[prev] ~= name then
        return broken("the one before does not lead to", name)
    end
    if next == "" then
        if tail ~= name then
            return broken("it has no next and is not the tail:", name)
        end
    elseif not is_free(entry_of(next)) or prev_of[next] ~= name then
        return broken("the one after does not lead back to", name)
    end
    return nil
end

-- Why nothing can be put behind the tail; nil when something can.
local function list_push_fault()
    if tail == "" or head == "" then
        if tail ~= head then
            return broken("the free list has one end only:", head .. tail)
        end
        return nil
    end
    if not is_free(entry_of(tail)) or next_of[tail] ~= "" then
        return broken("the tail is not the end of the free list:", tail)
    end
    return nil
end

local function touch(name)
    if not is_changed[name] then
        is_changed[name] = true
        changed[#changed + 1] = name
    end
end

-- Takes the name out of the list: list_unlink_fault() has found nothing. It is an allocated one now.
local function list_allocate(name)
    local prev, next = prev_of[name], next_of[name]
    if prev == "" then
        head = next
    else
        next_of[prev] = next
        touch(prev)
    end
    if next == "" then
        tail = prev
    else
        prev_of[next] = prev
        touch(next)
    end
    prev_of[name], next_of[name] = ALLOCATED, ALLOCATED
    touch(name)
end

-- Puts a name that is not in the list behind the tail: list_push_fault() has found nothing.
local function list_push(name, expiry)
    prev_of[name], next_of[name], expiry_of[name] = tail, "", expiry
    touch(name)
    if tail == "" then
        head = name
    else
        next_of[tail] = name
        touch(tail)
    end
    tail = name
end

-- Makes it an entry outside of the list.
local function list_put_allocated(name, expiry)
    prev_of[name], next_of[name], expiry_of[name] = ALLOCATED, ALLOCATED, expiry
    touch(name)
end

local function list_set_expiry(name, expiry)
    expiry_of[name] = expiry
    touch(name)
end

-- Takes a name that is not in the list out of the pool.
local function list_remove(name)
    prev_of[name], next_of[name], expiry_of[name] = ABSENT, nil, nil
    touch(name)
end

-- Writes what has changed.
local function list_write()
    local values, gone = {}, {}
    for i = 1, #changed do
        local name = changed[i]
        local prev = prev_of[name]
        if prev then
            values[#values + 1] = name
            values[#values + 1] = prev .. "||" .. next_of[name] .. "||" .. expiry_of[name]
        else
            gone[#gone + 1] = name
        end
    end
    call_each("HDEL", K_pool, gone) -- first: who leaves makes room, and is never refused
    call_each("HSET", K_pool, values)
    if head ~= stored_head then
        call("SET", K_head, head)
    end
    if tail ~= stored_tail then
        call("SET", K_tail, tail)
    end
end
