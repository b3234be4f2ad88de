-- restore: what was set aside, or was to be, can be handed out again.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: kind("": whatever it was) resource...
-- returns: how many
-- include: pool/capacity.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

local function run()
    local resources, restored, is_counted = {}, {}, {}
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
    local values, kind = key.values(names), tonumber(ARGV[1])
    for i = 1, #names do
        local resource = resource_of[names[i]]
        if prev_of[names[i]] ~= MALFORMED and apart.restore(names[i], values[i], kind) then
            restored[#restored + 1] = not is_counted[resource] and resource or nil
            is_counted[resource] = true
        end
    end
    index.write()
    list.write()
    local settled = capacity.settle(restored, not kind or kind == aside.LEAVING)
    index.write()
    list.write()
    serve.finish()
    return settled and refusal(settled) or #restored
end

return run()
