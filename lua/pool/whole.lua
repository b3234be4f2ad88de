-- whole: all entries of a pool at once, for check and repair.
-- include: pool/lease.lua

-- Reads everything; the names in the hash's order and how many there are.
local function whole_read()
    list_open()
    local all, names = call("HGETALL", K_pool), {}
    for i = 1, #all, 2 do
        local name = all[i]
        names[#names + 1] = name
        entry_keep(name, all[i + 1])
    end
    return names
end

-- Does the free list go from one to the other, both of them free?
local function whole_is_linked(before, after)
    return is_free(prev_of[after]) and prev_of[after] == before
        and (before == "" or (is_free(prev_of[before]) and next_of[before] == after))
end
