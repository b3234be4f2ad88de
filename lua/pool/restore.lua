-- restore: what was set aside, or was to be, can be handed out again.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: kind("": whatever it was) resource...
-- returns: how many
-- include: pool/apart.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

local function run()
    local resources, count, is_counted = {}, 0, {}
    for i = 2, #ARGV do
        resources[i - 1] = ARGV[i]
    end
    list.open()
    redis.call("ZCARD", key.index)
    aside.open()
    local names, _, resource_of = slot.entries(resources)
    local fault = list.push_fault()
    if fault then
        return refusal(fault)
    end
    local values = key.values(names)
    for i = 1, #names do
        local resource = resource_of[names[i]]
        if prev_of[names[i]] ~= MALFORMED
            and apart.restore(names[i], values[i], tonumber(ARGV[1])) then
            count = count + (is_counted[resource] and 0 or 1)
            is_counted[resource] = true
        end
    end
    index.write()
    list.write()
    serve.finish()
    return count
end

return run()
