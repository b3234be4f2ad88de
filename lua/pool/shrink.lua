-- shrink: takes resources out of the pool. A leased one departs at once, its lease runs on.
-- keys: pool head tail leases departed journal aside traits order
-- args: resource...
-- returns: how many departed
-- include: pool/member.lua
key.index, key.departed = KEYS[4], KEYS[5]
key.journal, key.aside, key.traits, key.order = KEYS[6], KEYS[7], KEYS[8], KEYS[9]

local function run()
    list.open()
    entry.read(ARGV)
    local names, seen = {}, {}
    for i = 1, #ARGV do
        local name = ARGV[i]
        if prev_of[name] ~= ABSENT and not seen[name] then
            seen[name] = true
            names[#names + 1] = name
        end
    end
    local fault = member.remove(names)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    return #names
end

return run()
