-- capacity: a resource gets as many units as its capacity says, and loses those that are too many.
-- include: pool/member.lua
-- include: pool/apart.lua
-- include: pool/rule.lua
local capacity = {
    missing = {}, -- {expiry, entries that are to come} of each resource
    leaving = {}, -- those of them that are too many
    aside = {}, -- those that are set aside at once: entry -> {kind, until when, why}
}

-- From now on a resource of the pool can have several units. Returns a refusal, or nil.
function capacity.start()
    if slot.open() then
        return nil
    end
    local names, records = redis.call("HKEYS", key.pool), {}
    redis.call("HLEN", key.units)
    for i = 1, #names do
        if slot.is_numbered(names[i]) then
            return refusal("ERR the pool has a resource whose name ends like that of a unit: "
                .. shown(names[i]))
        end
        records[#records + 1] = names[i]
        records[#records + 1] = "1 1 1 0"
    end
    call_each("HSET", key.units, records)
    redis.call("HSET", key.journal, "units", 1)
    slot.is_used, slot.records = true, {}
    return nil
end

local function wanted_of(words, resource)
    return member.words_of(words, resource).capacity or rule.capacity or 1
end

-- Before resources are added, of which that is said. Returns a refusal, or nil.
function capacity.open(resources, words)
    read_rules()
    local most = 1
    for i = 1, words.own and #resources or 1 do
        most = math.max(most, wanted_of(words, resources[i]))
    end
    local refused = most > 1 and capacity.start()
    for i = 1, slot.open() and #resources or 0 do
        if slot.is_numbered(resources[i]) then
            refused = refused or refusal("ERR the name ends like that of a unit of a resource: "
                .. shown(resources[i]))
        end
    end
    return refused or nil
end

-- Its entries: those that stay, those that leave when they come back, the numbers that are free.
local function sort_entries(resource, record)
    local names, numbers = slot.names(resource), {}
    local staying, leaving = {}, {}
    entry.read(names)
    for number = 1, record.last do
        local name = names[number]
        if prev_of[name] == ABSENT then
            numbers[#numbers + 1] = number
        else
            local kind, is_pending = aside.kind_of(name)
            local list_of = is_pending and kind == aside.LEAVING and leaving or staying
            list_of[#list_of + 1] = name
        end
    end
    return staying, leaving, numbers
end

-- So many of these leave: those that nobody has at once, the last first. Returns a fault, or nil.
local function drain(names, count)
    local values, gone, leased = key.values(names), {}, {}
    for i = #names, 1, -1 do
        local list_of = key.is_token(values[i]) and leased or gone
        list_of[#list_of + 1] = names[i]
    end
    for i = #gone, count + 1, -1 do
        gone[i] = nil
    end
    local fault = member.remove(gone)
    for i = 1, fault and 0 or count - #gone do
        aside.mark(leased[i], aside.LEAVING, 0, "")
    end
    return fault
end

-- What is said of a whole resource, as one of its entries has it: kind, until when, why. Nil: nothing.
local function quarantine_of(names)
    for i = 1, #names do
        local kind = aside.kind_of(names[i])
        if kind == aside.QUARANTINED or kind == aside.ILL or kind == aside.TRIPPED then
            local until_ms, why = aside.reason_of(names[i])
            return (until_ms == 0 or until_ms > clock()) and { kind, until_ms, why } or nil
        end
    end
    return nil
end

-- Gives a resource of the pool that capacity; new entries get this expiry. Returns a fault, or nil.
function capacity.set(resource, wanted, expiry)
    local record = slot.of(resource)
    local staying, leaving, numbers = sort_entries(resource, record)
    local lack, names = wanted - #staying, {}
    record.capacity = wanted
    slot.touch(resource)
    for i = 1, math.min(lack, #leaving) do
        aside.forget(leaving[i])
    end
    local quarantine = lack > #leaving and quarantine_of(staying)
    for i = 1, lack - #leaving do
        names[i] = slot.entry(resource, numbers[i] or record.last + i - #numbers)
        capacity.aside[names[i]] = quarantine or nil
    end
    capacity.missing[#capacity.missing + 1] = { expiry = expiry, names = names }
    return lack < 0 and drain(staying, -lack) or nil
end

-- A resource that is not in the pool. Leases of an earlier time live on: they come first, and count.
function capacity.add(resource, wanted, is_own, expiry)
    local names, is_named, number = slot.names(resource), {}, 1
    slot.make(resource, wanted, is_own)
    local living = key.locked(names)
    for i = #names, 1, -1 do
        if living[names[i]] then
            is_named[names[i]] = true
        else
            table.remove(names, i)
        end
    end
    for i = wanted + 1, #names do
        table.insert(capacity.leaving, names[i])
    end
    while #names < wanted do
        local name = slot.entry(resource, number)
        if not is_named[name] then
            names[#names + 1] = name
        end
        number = number + 1
    end
    capacity.missing[#capacity.missing + 1] = { expiry = expiry, names = names }
end

-- Puts into the pool what is missing: one of each resource, then the next one of each, so that those who
-- ask get different resources as long as there are some. words: see member.add. Returns a fault, or nil.
function capacity.finish(words)
    local round, fault, is_more = 1, nil, true
    while is_more and not fault do
        local names_of, expiries = {}, {}
        for _, one in ipairs(capacity.missing) do
            local name = one.names[round]
            if name and not names_of[one.expiry] then
                names_of[one.expiry] = {}
                expiries[#expiries + 1] = one.expiry
            end
            if name then
                table.insert(names_of[one.expiry], name)
            end
        end
        for _, expiry in ipairs(expiries) do
            fault = fault or member.add(names_of[expiry], expiry, words)
        end
        is_more, round = #expiries > 0, round + 1
    end
    for i = 1, fault and 0 or #capacity.leaving do
        aside.mark(capacity.leaving[i], aside.LEAVING, 0, "")
    end
    for name, quarantine in pairs(fault and {} or capacity.aside) do
        fault = fault or apart.set(name, key.values({ name })[1], unpack(quarantine))
    end
    capacity.missing, capacity.leaving, capacity.aside = {}, {}, {}
    return fault
end

-- After marks of these have changed, which is written: what is too many is to leave, and with is_whole
-- what is missing comes back. Returns a fault, or nil.
function capacity.settle(resources, is_whole)
    local fault
    for i = 1, slot.open() and #resources or 0 do
        local resource, record = resources[i], slot.of(resources[i])
        local lack = record and record.capacity - record.entries or 0
        if lack < 0 or (lack > 0 and is_whole) then
            local name = slot.entries({ resource })[1]
            fault = fault or capacity.set(resource, record.capacity, expiry_of[name])
        end
    end
    return fault or capacity.finish()
end

-- Does it leave as a whole, when its units come back?
local function is_draining(resource, record)
    local names = record.entries <= record.capacity and slot.names(resource) or {}
    for i = 1, #names do
        local kind, is_pending = aside.kind_of(names[i])
        if is_pending and kind == aside.LEAVING then
            return true
        end
    end
    return false
end

-- Has the resource what it should have, with this capacity?
local function is_right(resource, record, wanted)
    return record.capacity == wanted
        and (record.entries == wanted or is_draining(resource, record))
end

-- Resources of the pool get the capacity that is said of them: it is their own. What is missing, also of
-- units that have expired, comes with capacity.bring(). Returns a fault, or nil.
function capacity.change(resources, words)
    for i = 1, slot.open() and #resources or 0 do
        local record = slot.of(resources[i])
        local said = member.words_of(words, resources[i]).capacity
        local wanted = said or (record and record.capacity)
        if said and record and not record.is_own then
            record.is_own = true
            slot.touch(resources[i])
        end
        if record and not is_right(resources[i], record, wanted) then
            local fault = capacity.set(resources[i], wanted, words.expiry)
            if fault then
                return fault
            end
        end
    end
    return nil
end

-- Resources come in that are not in the pool. Returns a fault, or nil.
function capacity.bring(resources, words)
    if not slot.open() then
        return member.add(resources, words.expiry, words)
    end
    for i = 1, #resources do
        local is_own = member.words_of(words, resources[i]).capacity ~= nil
        capacity.add(resources[i], wanted_of(words, resources[i]), is_own, words.expiry)
    end
    return capacity.finish(words)
end
