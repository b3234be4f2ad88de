-- tags: the labels of a resource, or all that there are.
-- keys: pool journal traits units
-- args: resource("": of the pool)
-- returns: labels, sorted; nil for a stranger. Of the pool: label, how many have it, how many of these are free, of each
-- include: pool/label.lua
key.journal, key.traits, key.units = KEYS[2], KEYS[3], KEYS[4]

local function of_pool()
    local all, count_of, names, reply = redis.call("HGETALL", label.all), {}, {}, {}
    for i = 1, #all, 2 do
        names[#names + 1] = all[i]
        count_of[all[i]] = tonumber(all[i + 1])
    end
    table.sort(names)
    for i = 1, #names do
        reply[3 * i - 2], reply[3 * i - 1] = names[i], count_of[names[i]]
        reply[3 * i] = redis.call("ZCARD", label.index(names[i]))
    end
    return reply
end

local function run()
    redis.call("HLEN", key.pool)
    if ARGV[1] == "" then
        return of_pool()
    elseif #slot.entries({ ARGV[1] }) == 0 then
        return false
    end
    local labels = label.split(trait.of("l", ARGV[1]))
    return labels
end

return run()
