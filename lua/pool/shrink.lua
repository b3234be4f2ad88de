-- shrink: takes resources out of the pool. A leased one departs at once, its lease runs on.
-- keys: pool head tail leases departed journal aside traits order units
-- args: resource...
-- returns: how many departed
-- include: pool/member.lua
key.index, key.departed = KEYS[4], KEYS[5]
key.journal, key.aside, key.traits = KEYS[6], KEYS[7], KEYS[8]
key.order, key.units = KEYS[9], KEYS[10]

local function run()
    list.open()
    local names, count = slot.entries(ARGV)
    local fault = member.remove(names)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    return count
end

return run()
