-- whole: all entries of a pool at once, for check and repair.
-- include: pool/lease.lua

-- Reads everything; the names in the hash's order and how many there are.
local function whole_read()
    list.open()
    local all, names = redis.call("HGETALL", key.pool), {}
    for i = 1, #all, 2 do
        local name = all[i]
        names[#names + 1] = name
        entry.keep(name, all[i + 1])
    end
    return names
end
