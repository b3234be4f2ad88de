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

local words = member.words(ARGV[1])

-- Those that the pool has. Returns a fault, or nil.
local function change(resources)
    local names = slot.entries(resources)
    for i = 1, #names do
        if prev_of[names[i]] == MALFORMED then
            return broken("the entry makes no sense:", names[i])
        end
        list.set_expiry(names[i], words.expiry)
    end
    local fault = member.prioritize(names, words.priority)
    for i = 1, slot.open() and words.capacity and #resources or 0 do
        slot.of(resources[i]).is_own = true
        fault = fault or capacity.set(resources[i], words.capacity, words.expiry)
    end
    return fault
end

-- Those that are new. Returns a fault, or nil.
local function add(resources)
    if not slot.open() then
        return member.add(resources, words.expiry, words.priority)
    end
    local wanted = words.capacity or rule.capacity or 1
    for i = 1, #resources do
        capacity.add(resources[i], wanted, words.capacity ~= nil, words.expiry)
    end
    return capacity.finish(words.priority)
end

local function run()
    local known, added, seen, resources = {}, {}, {}, {}
    for i = 2, #ARGV do
        resources[i - 1] = ARGV[i]
    end
    local refused = member.refused(words) or capacity.open(resources, words.capacity)
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
    local fault = change(known) or add(added)
    if fault then
        return refusal(fault)
    end
    list.write()
    index.write()
    serve.finish()
    return #added
end

return run()
