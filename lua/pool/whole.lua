-- whole: all entries of a pool at once, for check and repair.
-- include: pool/lease.lua

-- Reads everything; the names in the hash's order, then those that no list can hold.
local function whole_read()
    list.open()
    local all, names, unfit = redis.call("HGETALL", key.pool), {}, {}
    for i = 1, #all, 2 do
        local name = all[i]
        if entry.is_fit(name) then
            names[#names + 1] = name
            entry.keep(name, all[i + 1])
        else
            unfit[#unfit + 1] = name
        end
    end
    return names, unfit
end
