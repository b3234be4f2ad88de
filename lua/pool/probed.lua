-- probed: what probes have found: who is ill is set aside, who is healthy restored if it was a probe that
-- had set it aside; and how the probes do, which every daemon's POOL INFO shows.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order leader units
-- args: daemon span_ms(of a quarantine; <= 0: until it is healthy) summary then of each: resource ill(1|0) latency_us result
-- returns: [quarantined now, restored]; -1, and nothing is done, when another daemon leads the pool
-- include: pool/apart.lua
-- include: pool/probes.lua
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.leader = KEYS[15], KEYS[16], KEYS[17], KEYS[18]
key.units = KEYS[19]

local FIRST, WORDS = 4, 4 -- where the resources begin, arguments of each

local names, words_at, traits = {}, {}, {} -- names: of resources
local entries_of, value_by = {}, {} -- resource -> its entries; entry -> its lease key's value

-- Those that are in the pool, each once.
local function read_names()
    local all, is_malformed = {}, {}
    for i = FIRST, #ARGV, WORDS do
        all[#all + 1] = ARGV[i]
    end
    local entries, _, resource_of = slot.entries(all)
    for i, value in ipairs(key.values(entries)) do
        local name, resource = entries[i], resource_of[entries[i]]
        value_by[name] = value
        entries_of[resource] = entries_of[resource] or {}
        table.insert(entries_of[resource], name)
        is_malformed[resource] = is_malformed[resource] or prev_of[name] == MALFORMED
    end
    for i = 1, #all do
        local resource = all[i]
        if entries_of[resource] and not is_malformed[resource] and not words_at[resource] then
            words_at[resource] = FIRST + (i - 1) * WORDS
            names[#names + 1] = resource
        end
    end
end

-- All units of an ill one are set aside. Returns a fault, or nil.
local function quarantine(resource, until_ms, result)
    local fault
    for _, name in ipairs(entries_of[resource]) do
        fault = fault or apart.set(name, value_by[name], aside.ILL, until_ms, result)
    end
    return fault
end

-- Returns whether a probe had set it aside.
local function restore(resource)
    local is_restored = false
    for _, name in ipairs(entries_of[resource]) do
        is_restored = apart.restore(name, value_by[name], aside.ILL) or is_restored
    end
    return is_restored
end

-- Its state is as old as its last change.
local function note_health(name, state, latency_us, result, old)
    local old_state, since = string.match(old or "", "^(%a+) (%d+) ")
    if old_state ~= state then
        since = plain(clock())
    end
    traits[#traits + 1] = "h" .. name
    traits[#traits + 1] = state .. " " .. since .. " " .. latency_us .. " " .. result
end

local function read_health()
    local fields, old = {}, {}
    for i = 1, #names do
        fields[i] = "h" .. names[i]
    end
    for i = 1, #fields, CHUNK do
        local part = redis.call("HMGET", key.traits,
            unpack(fields, i, math.min(i + CHUNK - 1, #fields)))
        for k = 1, #part do
            old[i + k - 1] = part[k]
        end
    end
    return old
end

local function run()
    local leader, span_ms = redis.call("GET", key.leader), span(ARGV[2])
    if leader and leader ~= ARGV[1] then
        return -1
    end
    list.open()
    redis.call("ZCARD", key.index)
    aside.open()
    probes.say(key.journal, ARGV[3])
    read_names()
    local fault = list.push_fault()
    local old = read_health()
    local until_ms = span_ms > 0 and clock() + span_ms or 0
    local quarantined, restored = 0, 0
    for i = 1, #names do
        local at = words_at[names[i]]
        local is_ill, result = ARGV[at + 1] == "1", ARGV[at + 3]
        if fault then
            break
        elseif is_ill then
            fault = quarantine(names[i], until_ms, result)
            quarantined = quarantined + (fault and 0 or 1)
        elseif restore(names[i]) then
            restored = restored + 1
        end
        note_health(names[i], is_ill and "ill" or "healthy", ARGV[at + 2], result, old[i])
    end
    call_each("HSET", key.traits, traits)
    index.write()
    list.write()
    if restored > 0 then
        serve.finish()
    end
    return fault and refusal(fault) or { quarantined, restored }
end

return run()
