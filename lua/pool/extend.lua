-- extend: puts resources into the pool; those that it has get the new expiry.
-- keys: pool head tail leases
-- args: expiry_ms resource...
-- returns: how many were new
-- include: pool/member.lua
K_leases = KEYS[4]

local function run()
    list_open()
    entry_read(ARGV) -- its first one is no resource, and harmless
    local expiry = expiry_after(span(ARGV[1]))
    local added, seen = {}, {}
    for i = 2, #ARGV do
        local name = ARGV[i]
        local prev = prev_of[name]
        if prev == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        elseif prev ~= ABSENT then
            list_set_expiry(name, expiry)
        elseif not seen[name] then
            seen[name] = true
            added[#added + 1] = name
        end
    end
    local fault = members_add(added, expiry)
    if fault then
        return refusal(fault)
    end
    list_write()
    index_write()
    return #added
end

return run()
