-- set_aside: keeps resources from being handed out: free ones at once, leased ones when they come back.
-- keys: pool head tail leases departed journal aside traits order held notes requests
-- args: kind(see aside) span_ms(<= 0: until somebody ends it) why resource...
-- returns: how many are aside now, or leave (kind LEAVING), or will when they come back
-- include: pool/lease.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.aside, key.traits, key.order = KEYS[7], KEYS[8], KEYS[9]
key.held, key.notes, key.requests = KEYS[10], KEYS[11], KEYS[12]

local kind, span_ms, why = tonumber(ARGV[1]), span(ARGV[2]), ARGV[3]

-- Outside of the list, without a lease: it leaves, or is aside from now on.
local function place(name, until_ms)
    if kind == aside.LEAVING then
        list.remove(name)
        index.set(name, false)
    else
        aside.put(name, kind, until_ms, why)
    end
end

-- Is it aside for a reason that this one does not replace? What a person says holds for probes, too.
local function is_kept(its_kind)
    return kind == aside.ILL and its_kind and its_kind ~= aside.RESTING
end

local function set_one(name, value, until_ms)
    local its_kind, is_pending = aside.kind_of(name)
    if key.is_token(value) then
        if not (is_pending and is_kept(its_kind)) then
            aside.mark(name, kind, until_ms, why)
        end
        return nil
    elseif is_kept(its_kind) and value then
        return nil
    end
    if prev_of[name] ~= ALLOCATED then
        local fault = list.unlink_fault(name)
        if fault then
            return fault
        end
        list.allocate(name)
    end
    if value then
        aside.stop(name)
    end
    place(name, until_ms)
    return nil
end

local function run()
    list.open()
    entry.read(ARGV) -- its first ones are no resources, and harmless
    redis.call("ZCARD", key.index)
    redis.call("HLEN", key.journal)
    aside.open()
    local until_ms, names = span_ms > 0 and clock() + span_ms or 0, {}
    for i = 4, #ARGV do
        if entry.of(ARGV[i]) == MALFORMED then
            return refusal(broken("the entry makes no sense:", ARGV[i]))
        elseif prev_of[ARGV[i]] ~= ABSENT then
            names[#names + 1] = ARGV[i]
        end
    end
    local values, count = key.values(names), 0
    for i = 1, #names do
        if prev_of[names[i]] ~= ABSENT then -- else named twice, and gone
            local fault = set_one(names[i], values[i], until_ms)
            if fault then
                list.write()
                index.write()
                return refusal(fault)
            end
            count = count + 1
        end
    end
    list.write()
    index.write()
    return count
end

return run()
