-- label: what resources are like, and which of the free ones are so.
--   trait l: the resource's labels, each "key=value", sorted, separated by \1
--   <base>|pool|labels             hash  label -> how many resources have it
--   <base>|pool|label:<key=value>  zset  the free ones that have it -> when they came free, in ms
-- These two are named here alone: a daemon never asks for them. What other programs take out of the
-- free list and put there is not told: such members are doubted when they are met, and the sweep
-- mends what it finds. The journal's mark l stands as long as there are labels.
-- Knows: entries, traits.  Must not know: leases, who asks.
-- include: pool/entry.lua
-- include: pool/trait.lua
-- include: pool/rule.lua
-- include: pool/mark.lua
local label = {
    MOST = 64, -- of one resource
    all = key.base .. "|pool|labels",
    moved = {}, names = {}, -- resources that came into the list (true) or left it since label.write()
    arrivals = 0, -- so many came into it in this script
}

function label.index(pair)
    return key.base .. "|pool|label:" .. pair
end

function label.are_used()
    return mark.has("l")
end

-- A list of labels, and the same as a set; text: a trait l.
function label.split(text)
    local pairs_, has = {}, {}
    for pair in string.gmatch(text or "", "[^\1]+") do
        pairs_[#pairs_ + 1] = pair
        has[pair] = true
    end
    return pairs_, has
end

-- The traits l of these (entries have those of their resource), false where there is none.
function label.of(resources)
    local texts = {}
    for i = 1, #resources, CHUNK do
        local fields, last = {}, math.min(i + CHUNK - 1, #resources)
        for k = i, last do
            fields[#fields + 1] = "l" .. slot.split(resources[k])
        end
        local part = redis.call("HMGET", key.traits, unpack(fields))
        for k = 1, #fields do
            texts[#texts + 1] = part[k]
        end
    end
    return texts
end

-- Does a trait l hold all of these?
function label.fits(text, wanted)
    local _, has = label.split(text)
    for i = 1, #wanted do
        if not has[wanted[i]] then
            return false
        end
    end
    return true
end

-- Where one that comes free now stands among the others: as in the pool's order, later ones of the same
-- script behind it. The rules have been read.
function label.place(resource)
    local position = rule.order and redis.call("ZSCORE", key.order, resource)
    if position then
        return position
    end
    label.arrivals = label.arrivals + 1
    clock()
    local at = now_us / 1000 + label.arrivals / 4096
    return string.format("%.4f", rule.order == "lifo" and -at or at)
end

-- The list has taken it in, or given it out.
function label.note(resource, is_free)
    if label.are_used() then
        if label.moved[resource] == nil then
            label.names[#label.names + 1] = resource
        end
        label.moved[resource] = is_free and label.place(resource)
    end
end

-- The indexes follow the list.
function label.write()
    if #label.names == 0 then
        return
    end
    local names, moved, changes = label.names, label.moved, {}
    label.names, label.moved = {}, {}
    local texts = label.of(names)
    for i = 1, #names do
        for _, pair in ipairs(texts[i] and label.split(texts[i]) or {}) do
            local change = changes[pair] or { due = {}, gone = {} }
            changes[pair] = change
            local place = moved[names[i]]
            local args = place and change.due or change.gone
            args[#args + 1] = place or names[i]
            args[#args + 1] = place and names[i] or nil
        end
    end
    for pair, change in pairs(changes) do
        call_each("ZREM", label.index(pair), change.gone)
        call_each("ZADD", label.index(pair), change.due)
    end
end

-- So many resources more (fewer) have the label.
function label.count(pair, n)
    if redis.call("HINCRBY", label.all, pair, n) <= 0 then
        redis.call("HDEL", label.all, pair)
        redis.call("DEL", label.index(pair))
        if redis.call("EXISTS", label.all) == 0 then
            mark.drop("l")
        end
    end
end

-- These have left the pool; what label.note() heard of them is written. Their traits go after this.
function label.forget(resources)
    if not label.are_used() then
        return
    end
    local counts = {}
    for _, text in ipairs(label.of(resources)) do
        for _, pair in ipairs(text and label.split(text) or {}) do
            counts[pair] = (counts[pair] or 0) + 1
        end
    end
    for pair, n in pairs(counts) do
        label.count(pair, -n)
    end
end

-- All resources leave at once.
function label.clear()
    if label.are_used() then
        for _, pair in ipairs(redis.call("HKEYS", label.all)) do
            redis.call("UNLINK", label.index(pair))
        end
        redis.call("UNLINK", label.all)
        mark.drop("l")
    end
    label.names, label.moved = {}, {}
end

-- Of names that the first label's index has, those that the others' have, too.
function label.meet(wanted, names)
    for i = 2, #wanted do
        if #names == 0 then
            break
        end
        local scores, both = redis.call("ZMSCORE", label.index(wanted[i]), unpack(names)), {}
        for k = 1, #names do
            both[#both + 1] = scores[k] and names[k] or nil
        end
        names = both
    end
    return names
end

-- Names that these labels' indexes have: who is not free, or lacks one of them, leaves its index. Returns
-- the others, in their order, and how many have left that of the first label.
function label.doubt(wanted, names)
    entry.read(names)
    local texts, good, stale = label.of(names), {}, {}
    for i = 1, #wanted do
        stale[i] = {}
    end
    for i = 1, #names do
        local is_free, _, has = entry.is_free(entry.of(names[i])), label.split(texts[i])
        local is_good = is_free
        for k = 1, #wanted do
            if not (is_free and has[wanted[k]]) then
                is_good = false
                stale[k][#stale[k] + 1] = names[i]
            end
        end
        good[#good + 1] = is_good and names[i] or nil
    end
    for i = 1, #wanted do
        call_each("ZREM", label.index(wanted[i]), stale[i])
    end
    return good, #(stale[1] or {})
end

-- The labels, those which fewer free ones have first; how many have the first.
function label.rarest_first(wanted)
    local sizes, order = {}, {}
    for i = 1, #wanted do
        order[i] = wanted[i]
        sizes[wanted[i]] = redis.call("ZCARD", label.index(wanted[i]))
    end
    table.sort(order, function(a, b)
        return sizes[a] < sizes[b]
    end)
    return order, sizes[order[1]]
end

-- Members that are no resources any more: they stand first, as nobody takes them. `labels`: of these
-- some.
function label.sweep(labels)
    local each = math.max(math.floor(500 / math.max(#labels, 1)), 1)
    for i = 1, #labels do
        label.doubt({ labels[i] }, redis.call("ZRANGE", label.index(labels[i]), 0, each - 1))
    end
end

-- Puts into an index what is free of these, at most CHUNK, and takes out the rest.
local function mend_index(pair, names, is_free)
    local scores = redis.call("ZMSCORE", label.index(pair), unpack(names))
    for i = 1, #names do
        if scores[i] and not is_free[names[i]] then
            redis.call("ZREM", label.index(pair), names[i])
        elseif is_free[names[i]] and not scores[i] then
            redis.call("ZADD", label.index(pair), label.place(names[i]), names[i])
        end
    end
end

-- What other programs have changed in the list, as far as these resources show it, at most CHUNK.
function label.mend(names)
    if redis.call("HLEN", key.traits) == 0 then
        return
    end
    label.write()
    read_rules()
    local texts, names_of, is_free = label.of(names), {}, {}
    for i = 1, #names do
        if texts[i] and prev_of[names[i]] then
            is_free[names[i]] = entry.is_free(prev_of[names[i]])
            for _, pair in ipairs((label.split(texts[i]))) do
                names_of[pair] = names_of[pair] or {}
                table.insert(names_of[pair], names[i])
            end
        end
    end
    for pair, its_names in pairs(names_of) do
        mark.set("l")
        mend_index(pair, its_names, is_free)
    end
end

-- What the traits say: labels of each resource, and how many have each label.
local function count_all(is_known, say)
    local pairs_of, counts = {}, {}
    local all = redis.call("HGETALL", key.traits)
    for i = 1, #all, 2 do
        local name = string.match(all[i], "^l(.*)$")
        if name and not is_known[name] then
            say("labels of what is not in the pool:", name)
        elseif name then
            pairs_of[name] = label.split(all[i + 1])
            for _, pair in ipairs(pairs_of[name]) do
                counts[pair] = (counts[pair] or 0) + 1
            end
        end
    end
    return pairs_of, counts
end

-- The index of a label against those that have it. Returns a set of its members.
local function check_members(pair, pairs_of, is_free, say)
    local members, listed = redis.pcall("ZRANGE", label.index(pair), 0, -1), {}
    if is_error(members) then
        say("no index is the key of label", pair)
        return listed
    end
    for _, name in ipairs(members) do
        local has = false
        for _, its in ipairs(pairs_of[slot.split(name)] or {}) do
            has = has or its == pair
        end
        if not (has and is_free[name]) then
            say("among the free ones of label " .. pair .. ", but it is not:", name)
        end
        listed[name] = true
    end
    return listed
end

-- What is wrong, as texts with a name each; is_free: a set of all that are free, is_known: of all, and of
-- their resources.
function label.faults(is_free, is_known)
    local faults, listed = {}, {}
    local function say(what, name)
        faults[#faults + 1] = { what, name }
    end
    local pairs_of, counts = count_all(is_known, say)
    local stored, is_counted = redis.call("HGETALL", label.all), {}
    for i = 1, #stored, 2 do
        is_counted[stored[i]] = true
        if tonumber(stored[i + 1]) ~= counts[stored[i]] then
            say("a label's count is wrong:", stored[i])
        end
        listed[stored[i]] = check_members(stored[i], pairs_of, is_free, say)
    end
    for pair in pairs(counts) do
        if not is_counted[pair] then
            say("a label is not counted:", pair)
            listed[pair] = check_members(pair, pairs_of, is_free, say)
        end
    end
    for name in pairs(is_free) do
        for _, pair in ipairs(pairs_of[slot.split(name)] or {}) do
            if not listed[pair][name] then
                say("free, but not among those of label " .. pair .. ":", name)
            end
        end
    end
    return faults
end

-- Everything anew, out of the traits; `order`: what is free, in the list's order.
function label.rebuild(order, is_known)
    local all, pairs_of, counts, strangers = redis.call("HGETALL", key.traits), {}, {}, {}
    for _, pair in ipairs(redis.call("HKEYS", label.all)) do
        redis.call("UNLINK", label.index(pair))
    end
    redis.call("UNLINK", label.all)
    for i = 1, #all, 2 do
        local letter, name = string.match(all[i], "^(.)(.*)$")
        if not is_known[name] then
            strangers[#strangers + 1] = all[i]
        elseif letter == "l" then
            pairs_of[name] = label.split(all[i + 1])
            for _, pair in ipairs(pairs_of[name]) do
                counts[pair] = (counts[pair] or 0) + 1
            end
        end
    end
    call_each("HDEL", key.traits, strangers)
    mark[next(counts) and "set" or "drop"]("l")
    for pair, n in pairs(counts) do
        redis.call("HSET", label.all, pair, n)
    end
    for i = 1, #order do
        for _, pair in ipairs(pairs_of[slot.split(order[i])] or {}) do
            redis.call("ZADD", label.index(pair), label.place(order[i]), order[i])
        end
    end
end
