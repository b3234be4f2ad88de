-- slot: resources that several may hold at once. Such a resource has as many entries as it has units,
-- each with a lease of its own: the first has its name, the others that and a number. List, index,
-- notes, journal and line know entries alone; whoever asks hears of resources.
--   units: resource -> "<capacity> <entries> <last> <own>": how many may hold it; how many entries it has;
--     the largest number of one; own: 1 when it was told its capacity, 0 when it has that of the pool
-- From the first resource with several units on, all of the pool have a field there, and the journal
-- has a field `units`: the cheap scripts look there. Without it a name is a name, whatever it ends in.
-- A token ends in "." and the number of its entry then.
-- The script sets key.journal, and key.units if it asks for more than names.
-- include: pool/entry.lua
local slot = {
    is_used = nil, -- has any resource several units?
    records = {}, -- resource -> its record, false: it has none
    changed = {}, is_changed = {}, -- resources whose records are to be written
    departed = nil, -- resource -> its entries that have left the pool while they were leased
}

-- flag: the journal's field, as far as it has been read.
function slot.open(flag)
    if slot.is_used == nil then
        if flag == nil then
            flag = redis.call("HGET", key.journal, "units")
        end
        slot.is_used = flag ~= false
        if slot.is_used and key.units then
            redis.call("HLEN", key.units) -- of the right type?
        end
    end
    return slot.is_used
end

-- Would this name be an entry's, but for the first?
function slot.is_numbered(name)
    return string.find(name, "^.+\31%d+$") ~= nil
end

-- The resource of an entry, and the entry's number.
function slot.split(name)
    if slot.open() then
        local resource, number = string.match(name, "^(.+)\31(%d+)$")
        if resource then
            return resource, tonumber(number)
        end
    end
    return name, 1
end

function slot.entry(resource, number)
    return tonumber(number) == 1 and resource or resource .. "\31" .. number
end

-- What the token of an entry ends in.
function slot.suffix(name)
    local _, number = slot.split(name)
    return slot.is_used and "." .. number or ""
end

-- --- records -------------------------------------------------------------------------------------

local function parse(text)
    local capacity, entries, last, own =
        string.match(text or "", "^(%d+) (%-?%d+) (%d+) ([01])$")
    return capacity and {
        capacity = tonumber(capacity), entries = tonumber(entries), last = tonumber(last),
        is_own = own == "1",
    } or false
end

function slot.read(resources)
    for i = 1, #resources, CHUNK do
        local last = math.min(i + CHUNK - 1, #resources)
        local texts = redis.call("HMGET", key.units, unpack(resources, i, last))
        for k = i, last do
            if slot.records[resources[k]] == nil then
                slot.records[resources[k]] = parse(texts[k - i + 1])
            end
        end
    end
end

-- False for a resource that is not in the pool.
function slot.of(resource)
    if slot.records[resource] == nil then
        slot.read({ resource })
    end
    return slot.records[resource]
end

function slot.touch(resource)
    if not slot.is_changed[resource] then
        slot.is_changed[resource] = true
        slot.changed[#slot.changed + 1] = resource
    end
end

function slot.make(resource, capacity, is_own)
    slot.records[resource] = { capacity = capacity, entries = 0, last = 0, is_own = is_own }
    slot.touch(resource)
    return slot.records[resource]
end

-- An entry is new in the pool, or leaves it.
function slot.count(name, difference)
    if not slot.open() then
        return
    end
    local resource, number = slot.split(name)
    local record = slot.of(resource) or slot.make(resource, 1, false)
    record.entries = record.entries + difference
    record.last = math.max(record.last, number)
    slot.touch(resource)
end

-- Writes the records that have changed. Returns the resources of which nothing is left.
function slot.write()
    local gone, left = {}, {}
    for i = 1, #slot.changed do
        local resource = slot.changed[i]
        local record = slot.records[resource]
        if record.entries > 0 then
            left[#left + 1] = resource
            left[#left + 1] = string.format("%.0f %.0f %.0f %d", record.capacity, record.entries,
                record.last, record.is_own and 1 or 0)
        else
            gone[#gone + 1] = resource
            slot.records[resource] = false
        end
    end
    slot.changed, slot.is_changed = {}, {}
    call_each("HDEL", key.units, gone) -- first: see list.write()
    call_each("HSET", key.units, left)
    return gone
end

-- --- entries of a resource -----------------------------------------------------------------------

-- What has left the pool while it was leased is looked up at once: there is little of it.
local function departed(resource)
    if not slot.departed then
        slot.departed = {}
        for _, name in ipairs(redis.call("ZRANGE", key.departed, 0, -1)) do
            local its = slot.split(name)
            slot.departed[its] = slot.departed[its] or {}
            table.insert(slot.departed[its], name)
        end
    end
    return slot.departed[resource] or {}
end

-- Names that its entries may have, in the order of their numbers; those that are departed for one that
-- is not in the pool.
function slot.names(resource)
    if not slot.open() then
        return { resource }
    end
    local record, names = slot.of(resource), {}
    if not record then
        return departed(resource)
    end
    for number = 1, record.last do
        names[number] = slot.entry(resource, number)
    end
    return names
end

-- The entries of these resources that are in the pool, each once, and how many resources that are; of
-- each entry the resource by its name.
function slot.entries(resources)
    local asked, names, resource_of, is_there, count = {}, {}, {}, {}, 0
    if slot.open() then
        slot.read(resources)
    end
    for i = 1, #resources do
        local resource = resources[i]
        local its = (slot.records[resource] or not slot.is_used) and slot.names(resource) or {}
        for k = 1, #its do
            if not resource_of[its[k]] then
                resource_of[its[k]] = resource
                asked[#asked + 1] = its[k]
            end
        end
    end
    entry.read(asked)
    for i = 1, #asked do
        if prev_of[asked[i]] ~= ABSENT then
            local resource = resource_of[asked[i]]
            names[#names + 1] = asked[i]
            count = count + (is_there[resource] and 0 or 1)
            is_there[resource] = true
        end
    end
    return names, count, resource_of
end

-- Reads the values of those lease keys that are not known yet.
function slot.read_values(names)
    local unknown = {}
    for i = 1, #names do
        if value_of[names[i]] == nil then
            unknown[#unknown + 1] = names[i]
        end
    end
    for i, value in ipairs(#unknown > 0 and key.values(unknown) or {}) do
        value_of[unknown[i]] = value
    end
end

-- The entry that a token is of, if the token says which; nil for what is no resource's name.
function slot.of_token(resource, token)
    if not slot.open() then
        return resource
    elseif slot.is_numbered(resource) then
        return nil
    end
    return slot.entry(resource, string.match(token, "%.(%d+)$") or 1)
end

-- The entry that is meant by a resource and a token ("": the only holder's), read, and with its lease
-- key's value known; nil when there is none, and a refusal when there are several.
function slot.meant(resource, token)
    if not slot.open() then
        return resource
    elseif token ~= "" or slot.is_numbered(resource) then
        local name = slot.of_token(resource, token)
        entry.read({ name })
        slot.read_values({ name })
        return name
    end
    local names, leased = slot.names(resource), {}
    slot.read_values(names)
    for i = 1, #names do
        if key.is_token(value_of[names[i]]) then
            leased[#leased + 1] = names[i]
        end
    end
    if #leased > 1 then
        return nil, refusal(string.format("NOTOWNER resource %s has %d holders: TOKEN has to"
            .. " say whose lease is meant", shown(resource), #leased))
    end
    entry.read(leased)
    return leased[1]
end

-- A reply of leases, as MALLOC has it with these further options, with resources for entries.
function slot.tell(reply, more)
    if slot.open() and type(reply) == "table" and type(reply[1]) == "string" then
        for i = 1, #reply, has_option(more, "D") and 5 or 4 do
            reply[i] = slot.split(reply[i])
        end
    end
    return reply
end
