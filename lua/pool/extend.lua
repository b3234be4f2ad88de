-- extend: puts resources into the pool; those that it has get the new expiry.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: expiry_ms(and further options: see member; without a capacity known ones keep theirs, new ones get that of the pool) resource...
-- returns: how many were new
-- include: pool/capacity.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

local words, resources = member.words()

-- Those that the pool has. Returns a fault, or nil.
local function change(known)
    local names = slot.entries(known)
    for i = 1, #names do
        if prev_of[names[i]] == MALFORMED then
            return broken("the entry makes no sense:", names[i])
        end
        list.set_expiry(names[i], words.expiry)
    end
    return member.prioritize(names, words) or capacity.change(known, words)
end

local function run()
    local known, added, seen = {}, {}, {}
    local refused = member.refused(words) or capacity.open(resources, words)
    if refused then
        return refused
    end
    list.open()
    if slot.open() then
        slot.read(resources)
    else
        entry.read(resources)
    end
    for _, name in ipairs(resources) do
        local is_known = slot.records[name]
        if not slot.is_used then
            is_known = prev_of[name] ~= ABSENT
        end
        if not seen[name] then
            seen[name] = true
            table.insert(is_known and known or added, name)
        end
    end
    local fault = change(known) or capacity.bring(added, words)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    serve.finish()
    return #added
end

return run()
