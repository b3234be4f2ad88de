-- freelist: the free list from head to tail.
-- keys: pool head
-- args: count(-1: all)
-- returns: resources; error BROKEN
-- include: pool/entry.lua

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
    local names, before = {}, ""
    local name = redis.call("GET", KEYS[2]) or ""
    while name ~= "" and #names < wanted do
        local prev = entry.of(name)
        if not entry.is_free(prev) then
            return refusal(broken("the free list leads to what is not free:", name))
        elseif prev ~= before then
            return refusal(broken("the list does not lead back from", name))
        elseif #names >= total then
            return refusal(broken("the free list is a circle at", name))
        end
        names[#names + 1] = name
        before, name = name, next_of[name]
    end
    return names
end

return run()
