-- extend: puts resources into the pool; those that it has get the new expiry.
-- keys: pool head tail leases departed
-- args: expiry_ms resource...
-- returns: how many were new
-- include: pool/member.lua
key.index, key.departed = KEYS[4], KEYS[5]

local function run()
    list.open()
    entry.read(ARGV) -- its first one is no resource, and harmless
    local expiry = entry.expiry_after(span(ARGV[1]))
    local added, seen = {}, {}
    for i = 2, #ARGV do
        local name = ARGV[i]
        local prev = prev_of[name]
        if prev == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        elseif prev ~= ABSENT then
            list.set_expiry(name, expiry)
        elseif not seen[name] then
            seen[name] = true
            added[#added + 1] = name
        end
    end
    local fault = member.add(added, expiry)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    return #added
end

return run()
