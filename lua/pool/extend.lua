-- extend: puts resources into the pool; those that it has get the new expiry.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order
-- args: expiry_ms(and further options: see member) resource...
-- returns: how many were new
-- include: pool/member.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order = KEYS[15], KEYS[16], KEYS[17]

local function run()
    list.open()
    entry.read(ARGV) -- its first one is no resource, and harmless
    local words = member.words(ARGV[1])
    local refused = member.refused(words)
    if refused then
        return refused
    end
    local added, known, seen = {}, {}, {}
    for i = 2, #ARGV do
        local name = ARGV[i]
        local prev = prev_of[name]
        if prev == MALFORMED then
            return refusal(broken("the entry makes no sense:", name))
        elseif prev ~= ABSENT then
            list.set_expiry(name, words.expiry)
            known[#known + 1] = not seen[name] and name or nil
        elseif not seen[name] then
            added[#added + 1] = name
        end
        seen[name] = true
    end
    local fault = member.prioritize(known, words.priority)
        or member.add(added, words.expiry, words.priority)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    serve.finish()
    return #added
end

return run()
