-- member: resources come into a pool and leave it.
-- include: pool/lease.lua

-- Puts in names that are not in the pool: behind the tail, or as leased ones where a lease of an
-- earlier time lives on (else there would be two holders). Returns a fault, or nil.
local function members_add(names, expiry)
    local fault = #names > 0 and list_push_fault()
    if fault then
        return fault
    end
    local locked = locked_among(names)
    local has_index = call("ZCARD", K_leases) > 0
    for i = 1, #names do
        local name = names[i]
        if locked[name] then
            list_put_allocated(name, expiry)
            index_as_it_is(name)
        else
            list_push(name, expiry)
            if has_index then
                index_set(name, false) -- what a Python program has ended
            end
        end
    end
    return nil
end

-- Takes out names that are in the pool. Leases run on. Returns a fault, or nil.
local function members_remove(names)
    local neighbours = {}
    for i = 1, #names do
        local prev, next = entry_of(names[i]), next_of[names[i]]
        if is_free(prev) then
            neighbours[#neighbours + 1] = prev ~= "" and prev or nil
            neighbours[#neighbours + 1] = next ~= "" and next or nil
        end
    end
    entry_read(neighbours)
    for i = 1, #names do
        local name = names[i]
        if prev_of[name] ~= ALLOCATED then
            local fault = list_unlink_fault(name)
            if fault then
                return fault
            end
            list_allocate(name)
        end
        list_remove(name)
    end
    return nil
end
