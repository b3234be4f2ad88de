-- tag: gives a resource labels, or takes them away. One that is free then may be what somebody waits for.
-- keys: pool head tail leases departed journal held notes requests bindings waiters waiting granted daemons aside traits order units
-- args: resource, then "key=value" each; "key=": without that key
-- returns: how many labels it has now; nil for a stranger
-- include: pool/serve.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests, key.bindings = KEYS[7], KEYS[8], KEYS[9], KEYS[10]
key.waiters, key.waiting, key.granted, key.daemons = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
key.aside, key.traits, key.order, key.units = KEYS[15], KEYS[16], KEYS[17], KEYS[18]

-- The labels that it will have: a sorted list, and a set.
local function wanted_of(old)
    local pair_of, list_, is_wanted = {}, {}, {}
    for i = 1, #old do
        pair_of[string.match(old[i], "^[^=]*")] = old[i]
    end
    for i = 2, #ARGV do
        local name, value = string.match(ARGV[i], "^([^=]*)=(.*)$")
        pair_of[name] = value ~= "" and ARGV[i] or nil
    end
    for _, pair in pairs(pair_of) do
        list_[#list_ + 1] = pair
        is_wanted[pair] = true
    end
    table.sort(list_)
    return list_, is_wanted
end

-- The index of a label it has now: those of its entries that are free.
local function list_free(pair, names)
    redis.call("HINCRBY", label.all, pair, 1)
    for i = 1, #names do
        if entry.is_free(prev_of[names[i]]) then
            redis.call("ZADD", label.index(pair), label.place(names[i]), names[i])
        end
    end
end

local function write(resource, labels)
    if #labels > 0 then
        trait.set("l", resource, table.concat(labels, "\1"))
        mark.set("l")
    else
        trait.drop("l", resource)
    end
end

local function run()
    local resource = ARGV[1]
    local names = slot.entries({ resource })
    if #names == 0 then
        return false
    end
    for i = 1, #names do
        if prev_of[names[i]] == MALFORMED then
            return refusal(broken("the entry makes no sense:", names[i]))
        end
    end
    read_rules()
    redis.call("HLEN", key.journal)
    local old, had = label.split(trait.of("l", resource))
    local labels, is_wanted = wanted_of(old)
    if #labels > label.MOST then
        return refusal("ERR a resource has at most " .. label.MOST .. " labels: " .. shown(resource)
            .. " would have " .. #labels)
    end
    write(resource, labels)
    for i = 1, #labels do
        if not had[labels[i]] then
            list_free(labels[i], names)
        end
    end
    for i = 1, #old do
        if not is_wanted[old[i]] then
            call_each("ZREM", label.index(old[i]), names)
            label.count(old[i], -1)
        end
    end
    list.open()
    serve.finish()
    return #labels
end

return run()
