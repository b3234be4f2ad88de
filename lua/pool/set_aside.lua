-- set_aside: keeps resources from being handed out: free ones at once, leased ones when they come back.
-- keys: pool head tail leases departed journal aside traits order held notes requests units
-- args: kind(see aside) span_ms(<= 0: until somebody ends it) why resource...
-- returns: how many are aside now, or leave (kind LEAVING), or will when they come back
-- include: pool/capacity.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.aside, key.traits, key.order = KEYS[7], KEYS[8], KEYS[9]
key.held, key.notes, key.requests, key.units = KEYS[10], KEYS[11], KEYS[12], KEYS[13]

local kind, span_ms, why = tonumber(ARGV[1]), span(ARGV[2]), ARGV[3]

local function run()
    local until_ms, resources = span_ms > 0 and clock() + span_ms or 0, {}
    for i = 4, #ARGV do
        resources[i - 3] = ARGV[i]
    end
    list.open()
    redis.call("ZCARD", key.index)
    redis.call("HLEN", key.journal)
    aside.open()
    local names, count = slot.entries(resources)
    for i = 1, #names do
        if prev_of[names[i]] == MALFORMED then
            return refusal(broken("the entry makes no sense:", names[i]))
        end
    end
    local values = key.values(names)
    for i = 1, #names do
        local fault = apart.set(names[i], values[i], kind, until_ms, why)
        if fault then
            list.write()
            index.write()
            return refusal(fault)
        end
    end
    list.write()
    index.write()
    local settled = kind ~= aside.LEAVING and capacity.settle(resources)
    list.write()
    index.write()
    return settled and refusal(settled) or count
end

return run()
