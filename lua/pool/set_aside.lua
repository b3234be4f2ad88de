-- set_aside: keeps resources from being handed out: free ones at once, leased ones when they come back.
-- keys: pool head tail leases departed journal aside traits order held notes requests
-- args: kind(see aside) span_ms(<= 0: until somebody ends it) why resource...
-- returns: how many are aside now, or leave (kind LEAVING), or will when they come back
-- include: pool/apart.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.aside, key.traits, key.order = KEYS[7], KEYS[8], KEYS[9]
key.held, key.notes, key.requests = KEYS[10], KEYS[11], KEYS[12]

local kind, span_ms, why = tonumber(ARGV[1]), span(ARGV[2]), ARGV[3]

local function run()
    list.open()
    entry.read(ARGV) -- its first ones are no resources, and harmless
    redis.call("ZCARD", key.index)
    redis.call("HLEN", key.journal)
    aside.open()
    local until_ms, names = span_ms > 0 and clock() + span_ms or 0, {}
    for i = 4, #ARGV do
        if entry.of(ARGV[i]) == MALFORMED then
            return refusal(broken("the entry makes no sense:", ARGV[i]))
        elseif prev_of[ARGV[i]] ~= ABSENT then
            names[#names + 1] = ARGV[i]
        end
    end
    local values, count = key.values(names), 0
    for i = 1, #names do
        if prev_of[names[i]] ~= ABSENT then -- else named twice, and gone
            local fault = apart.set(names[i], values[i], kind, until_ms, why)
            if fault then
                list.write()
                index.write()
                return refusal(fault)
            end
            count = count + 1
        end
    end
    list.write()
    index.write()
    return count
end

return run()
