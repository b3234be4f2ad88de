-- restore: what was set aside, or was to be, can be handed out again.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order
-- args: kind("": whatever it was) resource...
-- returns: how many
-- include: pool/apart.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order = KEYS[15], KEYS[16], KEYS[17]

local function run()
    list.open()
    entry.read(ARGV) -- its first one is no resource, and harmless
    redis.call("ZCARD", key.index)
    aside.open()
    local names, is_named, count = {}, {}, 0
    for i = 2, #ARGV do
        local prev = entry.of(ARGV[i])
        if prev ~= ABSENT and prev ~= MALFORMED and not is_named[ARGV[i]] then
            is_named[ARGV[i]] = true
            names[#names + 1] = ARGV[i]
        end
    end
    local fault = list.push_fault()
    if fault then
        return refusal(fault)
    end
    local values = key.values(names)
    for i = 1, #names do
        if apart.restore(names[i], values[i], tonumber(ARGV[1])) then
            count = count + 1
        end
    end
    index.write()
    list.write()
    serve.finish()
    return count
end

return run()
