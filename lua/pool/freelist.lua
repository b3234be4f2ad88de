-- freelist: the free list from head to tail; a resource stands where its first free unit is.
-- keys: pool head journal
-- args: count(-1: all)
-- returns: resources; error BROKEN
-- include: pool/slot.lua
key.journal = KEYS[3]

local function run()
    local wanted, total = tonumber(ARGV[1]), redis.call("HLEN", key.pool)
    if wanted < 0 or wanted > total then
        wanted = total + 1
    end
    if wanted > total / 4 then
        local all = redis.call("HGETALL", key.pool)
        for i = 1, #all, 2 do
            entry.keep(all[i], all[i + 1])
        end
    end
    local names, before, steps, is_told = {}, "", 0, {}
    local name = redis.call("GET", KEYS[2]) or ""
    while name ~= "" and #names < wanted do
        local prev = entry.of(name)
        if not entry.is_free(prev) then
            return refusal(broken("the free list leads to what is not free:", name))
        elseif prev ~= before then
            return refusal(broken("the list does not lead back from", name))
        elseif steps >= total then
            return refusal(broken("the free list is a circle at", name))
        end
        local resource = slot.split(name)
        if not is_told[resource] then
            is_told[resource] = true
            names[#names + 1] = resource
        end
        steps = steps + 1
        before, name = name, next_of[name]
    end
    return names
end

return run()
