-- malloc: hands out what is free (part of batch).
-- arguments: M how(1|n|a) count timeout_ms random name binding_ms owner reqid
-- before it, of a session's request with a reqid: H holder
-- before it, with further options: X text, each a letter and its value, separated by \1
-- returns: resource token fence ttl_ms of each (shared: token "", fence 0, ttl -1); empty when none. With
-- the option D behind these what belongs to the resource: see data
-- include: pool/grant.lua
-- include: pool/binding.lua
-- include: pool/limit.lua
local malloc = {
    is_shared = false,
    nothing_due = false, -- the index has been asked in this batch
    asked_here = {}, -- reqids granted in this batch
    MOST_LOOKED_AT = 5000, -- resources that one request with labels looks at
}

-- Puts what is due behind the tail, until something has come or nothing is due. Returns a fault.
function malloc.refill()
    while not malloc.nothing_due do
        local due, free, _, fault = index.reclaim(100)
        if fault then
            return fault
        end
        malloc.nothing_due = due < 100
        if free > 0 then
            break
        end
    end
    return nil
end

-- Takes the head out of the list, whatever its state: an allocated one now. Nil when there is none.
function malloc.take_head()
    local fault = list.head == "" and malloc.refill()
    if fault then
        return nil, fault
    end
    if list.head == "" then
        return nil, list.push_fault()
    end
    local name = list.head
    fault = list.unlink_fault(name)
    if fault then
        return nil, fault
    end
    list.allocate(name)
    return name
end

function malloc.is_locked(resource)
    return redis.call("EXISTS", key.lease(resource)) == 1
end

-- Lends a resource that is out of the list, as the pool's mode has it, and adds it to the reply.
-- False when somebody's lock is on it: then it stays outside, and in the index.
function malloc.lend(resource, ask)
    local reply, n = ask.reply, #ask.reply
    if malloc.is_shared then
        if malloc.is_locked(resource) then
            index.as_it_is(resource)
            return false
        end
        pace.note(resource)
        index.taken[resource] = true
        reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = resource, "", 0, -1
        return true
    end
    local token, fence = grants.give(resource, ask.timeout_ms, ask.mark, ask.random, ask.count > 1)
    if not token then
        index.as_it_is(resource)
        return false
    end
    pace.note(resource)
    reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, fence
    reply[n + 4] = ask.timeout_ms > 0 and ask.timeout_ms or -1
    if rule.order == "least-used" then
        trait.count("u", resource)
    end
    return true
end

-- Lends heads until `count` are lent or there are no more. What has expired leaves the pool.
function malloc.lend_heads(ask)
    local wanted = ask.most * 4
    while #ask.reply < wanted do
        local name, fault = malloc.take_head()
        if not name then
            return fault
        end
        if entry.is_past(expiry_of[name]) then
            list.remove(name)
            if malloc.is_locked(name) then
                index.as_it_is(name) -- it departs; else the collector has to see the notes
            end
        else
            malloc.lend(name, ask)
        end
    end
    return nil
end

-- A bound one that a shared pool lends alone keeps its place in the list.
function malloc.keeps_place(ask)
    return malloc.is_shared and ask.count == 1 and not pace.is_resting()
end

function malloc.lend_bound(resource, ask)
    if not malloc.keeps_place(ask) and prev_of[resource] ~= ALLOCATED then
        list.allocate(resource)
    end
    malloc.lend(resource, ask)
end

-- The entry of the bound resource that can be had; false when there is none. A fault as the second.
function malloc.bound_entry(resource)
    for _, name in ipairs(slot.names(resource)) do
        local prev = entry.of(name)
        if prev == MALFORMED then
            return false, broken("the entry makes no sense:", name)
        elseif prev ~= ABSENT and not entry.is_past(expiry_of[name])
            and not malloc.is_locked(name) then
            return name, prev ~= ALLOCATED and list.unlink_fault(name) or nil
        end
    end
    return false
end

-- `count` names of the free list that can be had, but for `bound`, without touching anything; nil
-- when there are not so many. For those who want all or none.
function malloc.survey(count, bound)
    local names, seen = {}, {}
    local name, before = list.head, ""
    while #names < count do
        if name == "" then
            local fault = malloc.refill()
            name = before == "" and list.head or next_of[before]
            if fault or name == "" then
                return nil, fault or list.push_fault()
            end
        else
            local fault = seen[name] and broken("the free list is a circle at", name)
                or list.unlink_fault(name)
            if fault then
                return nil, fault
            end
            seen[name] = true
            if name ~= bound and not entry.is_past(expiry_of[name])
                and not malloc.is_locked(name) then
                names[#names + 1] = name
            end
            before, name = name, next_of[name]
        end
    end
    return names
end

-- The bound one, if there is one, then these of the free list.
function malloc.lend_these(names, ask, bound)
    if bound then
        malloc.lend_bound(bound, ask)
    end
    for i = 1, #names do
        list.allocate(names[i])
        malloc.lend(names[i], ask)
    end
end

-- All or none: the bound one, then what the survey has found.
function malloc.lend_all(ask, bound)
    local names, fault = malloc.survey(ask.count - (bound and 1 or 0), bound)
    if not names then
        return fault
    end
    malloc.lend_these(names, ask, bound)
    return nil
end

-- Can this one of the free list be had? An expired one leaves the pool, a locked one the list. A
-- fault as the second.
function malloc.can_have(name)
    local fault = list.unlink_fault(name)
    if fault then
        return false, fault
    end
    local is_past, is_locked = entry.is_past(expiry_of[name]), malloc.is_locked(name)
    if is_past or is_locked then
        list.allocate(name)
        if is_past then
            list.remove(name)
        end
        if is_locked then
            index.as_it_is(name)
        end
    end
    return not (is_past or is_locked)
end

-- Adds to `names`, up to `count`, those of `some` that have all labels and can be had: no more of them
-- are read than that takes. Returns a fault, and how many have left the first label's index.
local function add_labelled(names, count, wanted, some)
    local at, gone = 1, 0
    while #names < count and at <= #some do
        local last = math.min(at + math.max(count - #names, 4), #some + 1) - 1
        local good, stale_count = label.doubt(wanted, { unpack(some, at, last) })
        at, gone = last + 1, gone + stale_count
        for i = 1, #good do
            if #names < count and not names[good[i]] then
                local is_good, fault = malloc.can_have(good[i])
                if fault then
                    return fault, gone
                elseif is_good then
                    names[#names + 1] = good[i]
                    names[good[i]] = true
                end
            end
        end
    end
    return nil, gone
end

-- Adds to `names`, up to `count`, what has all labels, in the order in which they came free. Of those
-- with the rarest label some are looked at, MOST_LOOKED_AT more than are asked for. Returns a fault.
local function find_labelled(wanted, names, count)
    label.write()
    local order, size = label.rarest_first(wanted)
    local from, looked, step, most = 0, 0, math.max(count, 4), count + malloc.MOST_LOOKED_AT
    while #names < count and from < size and looked < most do
        step = math.min(step, most - looked, CHUNK)
        local some = redis.call("ZRANGE", label.index(order[1]), from, from + step - 1)
        if #some == 0 then
            break
        end
        local fault, gone = add_labelled(names, count, order, label.meet(order, some))
        if fault then
            return fault
        end
        looked, from = looked + #some, from + #some - gone
        step = step * 4
    end
    return nil
end

-- What has all labels that are asked for: the bound one, which has them, then others.
function malloc.lend_labelled(ask, bound)
    local count, names = ask.most - (bound and 1 or 0), {}
    names[bound or ""] = true
    local fault = find_labelled(ask.where, names, count)
    if not fault and #names < count and not malloc.nothing_due then
        for _ = 1, 10 do
            fault = fault or malloc.refill()
        end
        fault = fault or find_labelled(ask.where, names, count)
    end
    if fault or (ask.how == "a" and #names < count) then
        return fault
    end
    malloc.lend_these(names, ask, bound)
    return nil
end

-- In a shared pool what was lent goes behind the tail, but for one that has kept its place.
function malloc.rotate(reply, kept)
    for i = 1, #reply, 4 do
        local resource = reply[i]
        index.taken[resource] = nil
        if resource ~= kept then
            list.take_back(resource, expiry_of[resource])
        end
    end
end

-- What a request with this id was given, as far as it still has it; nil when nothing. In a session it
-- lasts for the session's time from now on.
function malloc.again(ask)
    local reqid = ask.reqid
    local record = redis.call("HGET", key.requests, reqid)
    if not record then
        return nil
    end
    local parts, flag = note.request(record)
    local resources, reply = {}, {}
    for i = 1, #parts - 1, 2 do
        resources[#resources + 1] = parts[i]
    end
    local values = key.values(resources)
    for i, resource in ipairs(resources) do
        local token = parts[2 * i]
        if values[i] == token then
            local n, ttl_ms = #reply, redis.call("PTTL", key.lease(resource))
            local time_ms = math.min(ask.timeout_ms, limit.left(token) or math.huge)
            if ask.holder ~= "" and ttl_ms >= 0 and ttl_ms < time_ms then
                ttl_ms = time_ms
                redis.call("PEXPIRE", key.lease(resource), plain(ttl_ms))
                entry.of(resource)
                index.set(resource, clock() + ttl_ms)
            end
            reply[n + 1], reply[n + 2], reply[n + 3] = resource, token, key.fence_of(token)
            reply[n + 4] = ttl_ms
            note.join(resource, token, ask.holder)
        end
    end
    if #reply == 0 then
        return nil
    end
    -- From now on the lease is also that of another batch: recall leaves it alone.
    if flag == "0" and not malloc.asked_here[reqid] then
        redis.call("HSET", key.requests, reqid, "1" .. string.sub(record, 2))
    end
    return reply
end

-- Notes what was lent: the binding, owner and request.
function malloc.note_lent(reply, ask)
    local owner, reqid = ask.owner, ask.reqid
    if ask.name ~= "" then
        binding.set(ask.name, (slot.split(reply[1])), ask.binding_ms)
    end
    if owner ~= "" or reqid ~= "" then
        local tokens = {}
        for i = 1, #reply, 4 do
            tokens[#tokens + 1] = reply[i]
            tokens[#tokens + 1] = reply[i + 1]
        end
        note.add(tokens, owner, reqid, ask.holder)
        malloc.asked_here[reqid] = true
    end
end

-- The labels that are asked for, in one order; nil: none.
local function where_of(options)
    if options.W then
        table.sort(options.W)
    end
    return options.W
end

-- What is asked for by the words that stand from here on in a list. holder: the session that asks; "":
-- none, or one that needs no note. more: further options; "": none.
function malloc.ask(words, at, holder, more)
    local options = more ~= "" and options_of(more) or {}
    return {
        how = words[at], count = tonumber(words[at + 1]), timeout_ms = span(words[at + 2]),
        random = words[at + 3], name = words[at + 4], binding_ms = span(words[at + 5]),
        owner = words[at + 6], reqid = words[at + 7], mark = "-", reply = {}, holder = holder,
        more = more,
        options = options, where = where_of(options),
    }
end

-- With fewer it is not content.
function malloc.needed(ask)
    return ask.how == "a" and ask.count or 1
end

-- is_late: others come first, so that it gets no more than the same request has got already.
function malloc.run(ask, is_late)
    local name, needed = ask.name, malloc.needed(ask)
    ask.timeout_ms = limit.time(ask.timeout_ms)
    if ask.owner ~= "" or ask.reqid ~= "" then
        ask.mark = "+"
        local refused = note.fault()
        local again = not refused and ask.reqid ~= "" and malloc.again(ask)
        if refused or again then
            return refused or again
        end
    end
    local room, refused = math.huge, nil
    if not malloc.is_shared then
        room, refused = limit.room(ask, needed)
    end
    if refused then
        return refused
    end
    ask.most = math.min(ask.count, pace.left(), room)
    if is_late or rule.paused or ask.most < needed then
        return ask.reply
    end
    local fault = malloc.is_shared and list.push_fault()
    local was_bound = name ~= "" and binding.get(name)
    if was_bound and ask.where and not label.fits(label.of({ was_bound })[1], ask.where) then
        was_bound = false -- it stays bound, unless another one is lent
    end
    local bound = false
    if was_bound and not fault then
        bound, fault = malloc.bound_entry(was_bound)
    end
    if not fault then
        if ask.where then
            fault = malloc.lend_labelled(ask, bound)
        elseif ask.how == "a" then
            fault = malloc.lend_all(ask, bound)
        else
            if bound then
                malloc.lend_bound(bound, ask)
            end
            fault = malloc.lend_heads(ask)
        end
    end
    local reply = ask.reply
    if #reply > 0 then
        if malloc.is_shared then
            malloc.rotate(reply, malloc.keeps_place(ask) and bound)
        end
        malloc.note_lent(reply, ask)
    elseif fault then
        return refusal(fault)
    elseif was_bound and not bound then
        binding.drop(name)
    end
    return reply
end
