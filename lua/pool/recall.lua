-- recall: gives back what a batch granted whose answer was lost, and forbids that batch to happen
-- later. What a repeated request has got in the meantime stays granted.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: daemon sequence
-- returns: how many leases were given back
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

local function run()
    local daemon, sequence = ARGV[1], ARGV[2]
    local record = redis.call("HGET", key.journal, daemon) or "0"
    local done = tonumber(string.match(record, "^%d+") or 0)
    if done > tonumber(sequence) then
        return 0
    end
    local first, last, names = string.match(record, "^%d+%z%d+%z(%d+)%z(%d+)(%z.*)$")
    local count = 0
    if done == tonumber(sequence) and names then
        first, last = tonumber(first), tonumber(last)
        list.open()
        for resource in string.gmatch(names, "%z(%Z*)") do
            local token = key.values({ resource })[1] or ""
            local fence = key.fence_of(token)
            if fence >= first and fence <= last and giveback.lease(resource, token) then
                count = count + 1
            end
        end
        giveback.finish()
    end
    redis.call("HDEL", key.journal, daemon) -- never refused for want of memory, nor is what follows it
    redis.call("HSET", key.journal, daemon, sequence .. "\0" .. plain(clock()))
    index.write()
    list.write()
    if count > 0 then
        serve.finish()
    end
    return count
end

return run()
